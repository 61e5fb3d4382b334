using System.CommandLine;
using LlmStageAudit.Artifacts.Errors;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Cli.Verbs;

internal static class DoctorVerb
{
    public static Command Build() => Verb.Of(
        "doctor",
        "Says what this machine computes with: engine, threads, devices, Slurm, disk.",
        ["stageaudit doctor", "stageaudit doctor --json"],
        [],
        Run);

    private static int Run(VerbContext context)
    {
        var engine = RunEngine.Describe(CPU);
        var devices = new[] { "cpu" }.Concat(Enumerable.Range(0, cuda.device_count()).Select(index => $"cuda:{index}")).ToArray();
        var slurm = FindOnPath("sbatch");
        var disk = new DriveInfo(Path.GetFullPath("."));
        using var check = ones([64, 64]);
        using var product = matmul(check, check);
        using var total = product.sum();
        var works = total.item() == 64 * 64 * 64;
        if (context.Json)
        {
            context.WriteJson(new
            {
                SchemaVersion = 1,
                RunEngine.ToolVersion,
                Engine = "libtorch",
                engine.LibTorchVersion,
                EngineWorks = works,
                engine.Threads,
                engine.InteropThreads,
                engine.Processor,
                engine.CpuCapability,
                engine.Blas,
                engine.Libraries,
                engine.Deterministic,
                engine.Environment,
                Devices = devices,
                engine.Machine,
                engine.Runtime,
                Slurm = slurm ?? "not found",
                DiskFreeBytes = disk.AvailableFreeSpace,
            });
        }
        else
        {
            context.WriteTable(["", ""],
            [
                ["stageaudit", RunEngine.ToolVersion],
                ["libtorch", $"{engine.LibTorchVersion}, {(works ? "computes" : "COMPUTES WRONGLY")}"],
                ["threads", $"{engine.Threads}, between operators {engine.InteropThreads}"],
                ["vector instructions", engine.CpuCapability ?? "-"],
                ["BLAS", engine.Blas ?? "-"],
                ["libraries", engine.Libraries ?? "-"],
                ["deterministic only", engine.Deterministic == true ? "yes" : "no"],
                ["environment", engine.Environment is { Count: > 0 } set ? string.Join(' ', set) : "-"],
                ["devices", string.Join(", ", devices)],
                ["machine", engine.Machine],
                ["processor", engine.Processor ?? "-"],
                ["runtime", engine.Runtime],
                ["Slurm", slurm ?? "not found (sbatch is not on the PATH)"],
                ["disk free here", Numbers.Bytes(disk.AvailableFreeSpace)],
            ]);
        }

        return (int)(works ? ExitCode.Done : ExitCode.Failed);
    }

    private static string? FindOnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Where(folder => folder.Length > 0)
        .Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);
}
