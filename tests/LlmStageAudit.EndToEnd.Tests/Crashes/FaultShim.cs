using System.Diagnostics;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Testing;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>The library that comes between a process and its disk: native/faults.c, compiled when it is first needed.</summary>
internal static class FaultShim
{
    private static readonly Lazy<string> s_library = new(Compile);

    public static string Library => s_library.Value;

    private static string Source { get; } =
        Path.Combine(SharedData.RepositoryRoot, "tests", "LlmStageAudit.EndToEnd.Tests", "native", "faults.c");

    /// <summary>Why there is none here, or null.</summary>
    public static string? Absence =>
        !OperatingSystem.IsLinux() ? "faults are injected by LD_PRELOAD, which is Linux's"
        : !File.Exists("/usr/bin/cc") ? "no C compiler /usr/bin/cc to build the fault library with"
        : !File.Exists(Source) ? "native/faults.c is not there"
        : null;

    private static string Compile()
    {
        var library = Path.Combine(AppContext.BaseDirectory, $"faults-{ContentHash.OfFile(Source)[..12]}.so");
        if (File.Exists(library)) return library;
        var beside = $"{library}.{Environment.ProcessId}";
        string[] arguments = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", beside, Source, "-ldl", "-lpthread"];
        using var compiler = Process.Start(new ProcessStartInfo("/usr/bin/cc", arguments) { RedirectStandardError = true })!;
        var said = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        Assert.True(compiler.ExitCode == 0, said);
        File.Move(beside, library, overwrite: true);
        return library;
    }
}

/// <summary>A test of the built command under faults; skipped, saying so, where either part is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FaultFactAttribute : FactAttribute
{
    public FaultFactAttribute()
    {
        if (!File.Exists(BuiltCommand.Path)) Skip = "stageaudit.dll is not built in Release";
        else Skip = FaultShim.Absence;
    }
}
