using System.Runtime.InteropServices;
using LlmStageAudit.Artifacts.Runs;

namespace LlmStageAudit.Training.Runs;

/// <summary>What computes: recorded with every run, since bits depend on it.</summary>
public static class RunEngine
{
    public static string ToolVersion { get; } = typeof(RunEngine).Assembly.GetName().Version!.ToString(3);

    public static EngineRecord Describe(Device device) => new()
    {
        LibTorchVersion = torch.version,
        Threads = get_num_threads(),
        Device = device.ToString(),
        Machine = $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors",
        Runtime = RuntimeInformation.FrameworkDescription,
    };
}
