using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Modeling.Engine;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Walk;

/// <summary>A libtorch of the user's own, by LIBTORCH: a copy of the one at hand, which the loader takes for another.</summary>
[Collection(AuditCollection.Name)]
public sealed class EngineFolderTests(EngineFolderTests.CopiedLibTorch copy, AuditFixture audit) : IClassFixture<EngineFolderTests.CopiedLibTorch>
{
    private const string DebianLibraries = "/usr/lib/x86_64-linux-gnu";

    [BuiltCommandFact]
    public void The_folder_with_the_libraries_is_used()
    {
        var said = Doctor(copy.Libraries, "--json");
        Assert.Equal((0, ""), (said.ExitCode, said.Error));
        Assert.Equal(copy.Libraries, said.Json.Text("libTorchFolder"));
        Assert.Equal(TorchEngine.Version, said.Json.Text("libTorchVersion"));
    }

    [BuiltCommandFact]
    public void The_folder_above_is_as_good()
    {
        var said = Doctor(copy.Parent);
        Assert.Equal((0, ""), (said.ExitCode, said.Error));
        Assert.Contains(copy.Libraries, said.Output);
    }

    [BuiltCommandFact]
    public void Nothing_but_the_named_libtorch_is_loaded()
    {
        // Computes as well: a second libtorch, which TorchSharp would load at its first tensor, ends the process.
        string[] command = ["evaluate", audit.Run, "--probe", audit.Probe, "--json", "--quiet"];
        var found = Started(copy.Libraries, command);
        Assert.Equal((0, ""), (found.ExitCode, found.Error));
        Assert.Equal(BuiltCommand.Succeed(command).Output, found.Output);
    }

    [BuiltCommandFact]
    public void A_folder_without_libraries_is_named()
    {
        using var empty = new TemporaryFolder();
        Refused(empty.Path, $"error: {empty.At("libc10.so")}: no such library; set LIBTORCH to the torch/lib of an installed PyTorch 2.10");
    }

    [BuiltCommandFact]
    public void A_file_is_no_folder()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("torch", "");
        Refused(file, $"error: {file}: a file; expected the folder with libtorch_cpu.so; set LIBTORCH to");
        Refused(file + "s", $"error: {file}s: no such folder; expected the folder with libtorch_cpu.so; set LIBTORCH to");
    }

    [BuiltCommandFact]
    public void What_is_no_library_cannot_be_loaded()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("libc10.so", "no library");
        Refused(folder.Path, $"error: {file}: cannot be loaded: ");
    }

    [OldLibTorchFact]
    public void Another_version_is_refused() =>
        Refused(DebianLibraries, $"error: {DebianLibraries}: libtorch 1.13");

    [BuiltCommandFact]
    public void The_kernels_that_were_chosen_are_said_and_the_choice_can_be_left_to_the_library()
    {
        const string note = ", AVX-512 on AMD";
        var processor = RunFolder.Open(audit.Run).ReadManifest().Engine.Processor!;
        var isChosen = processor.Contains("AMD", StringComparison.Ordinal) && Avx512F.IsSupported;
        var general = Blas("STAGEAUDIT_MKL", "general");
        Assert.DoesNotContain(note, general);
        Assert.Equal(isChosen ? general + note : general, Blas("STAGEAUDIT_MKL", "whatever"));

        static string Blas(string name, string value) => Started(["doctor", "--json"], (name, value)).Json.Text("blas");
    }

    [Fact]
    public void A_run_records_the_engine_that_doctor_describes()
    {
        var engine = RunFolder.Open(audit.Run).ReadManifest().Engine;
        var said = CommandLine.Json("doctor");
        Assert.Matches(@"^2\.1[0-2]\.", engine.LibTorchVersion);
        Assert.Equal(engine.LibTorchVersion, said.Text("libTorchVersion"));
        Assert.StartsWith("GCC", engine.Build);
        Assert.Equal(engine.Build, said.Text("build"));
        Assert.NotEmpty(engine.Blas!);
        Assert.Equal(engine.Blas, said.Text("blas"));
        Assert.Equal(engine.CpuCapability, said.Text("cpuCapability"));
        Assert.Equal(engine.Threads, said.Count("threads"));
        Assert.Equal(engine.Allocator, said.Text("allocator"));
        Assert.Equal(TorchEngine.Folder, said.Text("libTorchFolder"));
    }

    private static void Refused(string folder, string expected)
    {
        foreach (var command in new string[][] { ["doctor"], ["doctor", "--json"], ["evaluate", "nothing", "--probe", "nothing", "--device", "cuda"] })
        {
            var outcome = Started(folder, command);
            // Where the engine is not reached, the command ends for another reason, but never with an output or a trace.
            Assert.Empty(outcome.Output);
            var line = Assert.Single(outcome.ErrorLines);
            if (command[0] != "doctor") continue;
            Assert.Equal(1, outcome.ExitCode);
            Assert.StartsWith(expected, line.StartsWith('{') ? $"error: {(outcome with { Output = line }).Json.Text("message")}" : line);
        }
    }

    private static CommandOutcome Doctor(string libTorch, params string[] options) => Started(libTorch, ["doctor", .. options]);

    private static CommandOutcome Started(string libTorch, string[] command) => Started(command, ("LIBTORCH", libTorch));

    private static CommandOutcome Started(string[] command, (string Name, string Value) setting)
    {
        var start = new ProcessStartInfo("dotnet", [BuiltCommand.Path, .. command])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment = { [setting.Name] = setting.Value },
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.WaitForExit();
        return new CommandOutcome(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    /// <summary>libtorch's files once more, as a PyTorch installation has them. Links would be the same files to the loader.</summary>
    public sealed class CopiedLibTorch : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public CopiedLibTorch()
        {
            Directory.CreateDirectory(Libraries);
            foreach (var file in Directory.GetFiles(TorchEngine.Folder, "*.so*"))
            {
                var name = Path.GetFileName(file);
                if (name is "libc10.so" or "libtorch_cpu.so" or "libtorch.so" || name.StartsWith("libgomp", StringComparison.Ordinal))
                    File.Copy(file, Path.Combine(Libraries, name));
            }
        }

        public string Parent => _folder.At("torch");

        public string Libraries => _folder.At("torch", "lib");

        public void Dispose() => _folder.Dispose();
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class OldLibTorchFactAttribute : FactAttribute
    {
        public OldLibTorchFactAttribute()
        {
            if (!File.Exists(BuiltCommand.Path)) Skip = "stageaudit.dll is not built in Release";
            else if (!File.Exists(Path.Combine(DebianLibraries, "libtorch_cpu.so.1.13"))) Skip = "no libtorch 1.13 (Debian: libtorch1.13 and libtorch-dev)";
        }
    }
}
