using System.Runtime.InteropServices;
using LlmStageAudit.Records.Runs;

namespace LlmStageAudit.Training.Runs;

/// <summary>What computes: recorded with every run, since bits depend on it.</summary>
public static class RunEngine
{
    /// <summary>Variables that choose threads, kernels or precision in libtorch and the libraries below it.</summary>
    private static readonly string[] s_variables =
    [
        "ATEN_CPU_CAPABILITY", "CUBLAS_WORKSPACE_CONFIG", "DNNL_MAX_CPU_ISA", "MKL_CBWR", "MKL_DYNAMIC",
        "MKL_ENABLE_INSTRUCTIONS", "MKL_NUM_THREADS", "NVIDIA_TF32_OVERRIDE", "OMP_DYNAMIC", "OMP_NUM_THREADS", "OMP_SCHEDULE",
        "ONEDNN_MAX_CPU_ISA", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    ];

    /// <summary>Of this program, such as 0.1.0.</summary>
    public static string ToolVersion { get; } = typeof(RunEngine).Assembly.GetName().Version!.ToString(3);

    /// <summary>The engine of this process on a device, as manifests record it.</summary>
    public static EngineRecord Describe(Device device) => new()
    {
        LibTorchVersion = TorchEngine.Version,
        Build = TorchEngine.Build,
        Threads = TorchEngine.Threads,
        InteropThreads = get_num_interop_threads(),
        Device = device.ToString(),
        Machine = $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.ProcessArchitecture}, "
            + $"{Environment.ProcessorCount} processors",
        Processor = ProcessorModel(),
        CpuCapability = TorchEngine.CpuCapability,
        Blas = TorchEngine.Blas,
        Libraries = TorchEngine.Libraries,
        Allocator = TorchEngine.Allocator,
        Deterministic = TorchEngine.Deterministic,
        Runtime = RuntimeInformation.FrameworkDescription,
        Environment =
        [
            .. s_variables.Select(name => (name, Value: Environment.GetEnvironmentVariable(name)))
                .Where(pair => !string.IsNullOrEmpty(pair.Value))
                .Select(pair => $"{pair.name}={pair.Value}"),
        ],
    };

    /// <summary>
    /// In what an engine is another than the recorded one, a phrase each; what was not recorded counts as the same, and the allocator
    /// changes no result.
    /// </summary>
    /// <param name="recorded">What computed the run.</param>
    /// <param name="here">What would compute now.</param>
    public static string[] Differences(EngineRecord recorded, EngineRecord here) =>
    [
        .. new (string Name, object? Recorded, object? Here)[]
        {
            ("libtorch", recorded.LibTorchVersion, here.LibTorchVersion),
            ("build of libtorch", recorded.Build, here.Build),
            ("threads", recorded.Threads, here.Threads),
            ("threads between operators", recorded.InteropThreads, here.InteropThreads),
            ("device", recorded.Device, here.Device),
            ("machine", recorded.Machine, here.Machine),
            ("processor", recorded.Processor, here.Processor),
            ("vector instructions", recorded.CpuCapability, here.CpuCapability),
            ("BLAS", recorded.Blas, here.Blas),
            ("libraries", recorded.Libraries, here.Libraries),
            ("deterministic operators only", recorded.Deterministic, here.Deterministic),
            ("runtime", recorded.Runtime, here.Runtime),
            ("environment", Joined(recorded.Environment), Joined(here.Environment)),
        }.Where(field => field.Recorded is not null && !field.Recorded.Equals(field.Here))
            .Select(field => $"{field.Name} {field.Recorded}, here {field.Here}"),
    ];

    /// <summary>In what the engine at hand is another than any that computed a part of the run.</summary>
    public static string[] Differences(RunManifest run, Device device)
    {
        var here = Describe(device);
        return [.. (run.LaterEngines ?? []).Prepend(run.Engine).SelectMany(recorded => Differences(recorded, here)).Distinct()];
    }

    /// <summary>The manifest with the engine at hand noted where it is another than the one that computed the run so far.</summary>
    internal static RunManifest ResumedBy(RunManifest manifest, Device device)
    {
        var here = Describe(device);
        var differs = Differences(manifest.LaterEngines?[^1] ?? manifest.Engine, here).Length > 0;
        return differs ? manifest with { LaterEngines = [.. manifest.LaterEngines ?? [], here] } : manifest;
    }

    private static string? Joined(IReadOnlyList<string>? variables) =>
        variables is null ? null : variables.Count == 0 ? "without variables" : string.Join(' ', variables);

    private static string? ProcessorModel()
    {
        const string list = "/proc/cpuinfo";
        if (!File.Exists(list)) return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        var facts = File.ReadLines(list).TakeWhile(line => line.Length > 0)
            .Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
            .Where(pair => pair.Length == 2).DistinctBy(pair => pair[0]).ToDictionary(pair => pair[0], pair => pair[1]);
        if (!facts.TryGetValue("model name", out var name)) return null;
        return facts.TryGetValue("cpu family", out var family) && facts.TryGetValue("model", out var model)
            ? $"{name}, family {family}, model {model}"
            : name;
    }
}
