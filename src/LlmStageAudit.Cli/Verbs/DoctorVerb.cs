using System.CommandLine;
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

    private static void Run(VerbContext context)
    {
        TorchEngine.Require();
        var engine = RunEngine.Describe(CPU);
        var slurm = FindOnPath("sbatch");
        var disk = new DriveInfo(Path.GetFullPath("."));
        context.Print(
            new
            {
                RunEngine.ToolVersion,
                Engine = "libtorch",
                engine.LibTorchVersion,
                LibTorchFolder = TorchEngine.Folder,
                engine.Build,
                engine.Threads,
                engine.InteropThreads,
                engine.Processor,
                engine.CpuCapability,
                engine.Blas,
                engine.Libraries,
                engine.Allocator,
                engine.Deterministic,
                engine.Environment,
                Devices = Devices.Here,
                engine.Machine,
                engine.Runtime,
                Slurm = slurm ?? "not found",
                DiskFreeBytes = disk.AvailableFreeSpace,
            },
            () => context.WriteFacts(
            [
                ("stageaudit", RunEngine.ToolVersion),
                ("libtorch", $"{engine.LibTorchVersion} ({engine.Build})"),
                ("libtorch folder", TorchEngine.Folder),
                ("threads", $"{engine.Threads}, between operators {engine.InteropThreads}"),
                ("vector instructions", engine.CpuCapability),
                ("BLAS", engine.Blas),
                ("libraries", engine.Libraries),
                (
                    "allocator",
                    engine.Allocator == "malloc"
                        ? "malloc: peaks of memory are a third to a half above those of the page heap" : engine.Allocator),
                ("deterministic only", engine.Deterministic == true ? "yes" : "no"),
                ("environment", engine.Environment is { Count: > 0 } set ? string.Join(' ', set) : null),
                ("devices", string.Join(", ", Devices.Here)),
                ("machine", engine.Machine),
                ("processor", engine.Processor),
                ("runtime", engine.Runtime),
                ("Slurm", slurm ?? "not found (sbatch is not on the PATH)"),
                ("disk free here", Numbers.Bytes(disk.AvailableFreeSpace)),
            ]));
    }

    private static string? FindOnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Where(folder => folder.Length > 0)
        .Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);
}
