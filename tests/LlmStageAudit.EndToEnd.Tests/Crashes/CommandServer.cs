using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using LlmStageAudit.Cli;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>
/// A process with the fault library in it that runs one command after the other, each under its own fault: many times faster than a process
/// per command. For faults that the process survives. It is this very assembly, started as a program.
/// </summary>
internal sealed class CommandServer : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);
    private readonly Process _process;

    public CommandServer(string root)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CommandServer).Assembly.Location])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["LD_PRELOAD"] = FaultShim.Library;
        start.Environment["FAULTS_ROOT"] = root;
        start.Environment["FAULTS_MODE"] = "idle";
        _process = Process.Start(start)!;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate nint Arm([MarshalAs(UnmanagedType.LPUTF8Str)] string mode, nint at, int isSticky);

    /// <summary>The process's own loop: a request a line, an answer a line.</summary>
    public static async Task<int> Main()
    {
        var arm = Marshal.GetDelegateForFunctionPointer<Arm>(NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "faults_arm"));
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var request = JsonSerializer.Deserialize<Request>(line)!;
            using var output = new StringWriter();
            using var error = new StringWriter();
            arm(request.Mode, request.At, request.IsSticky ? 1 : 0);
            var code = await StageAudit.RunAsync(request.Args, output, error);
            var calls = (int)arm("idle", 0, 0);
            Console.WriteLine(JsonSerializer.Serialize(new Answer(code, output.ToString(), error.ToString(), calls)));
        }

        return 0;
    }

    public (Ended Ended, int Calls) Run(string[] args, Fault? fault)
    {
        Assert.False(fault is { Kills: true }, "the server must not be killed");
        var watch = Stopwatch.StartNew();
        _process.StandardInput.WriteLine(
            JsonSerializer.Serialize(new Request(fault?.Mode ?? "idle", fault?.At ?? 0, fault?.IsSticky ?? false, args)));
        _process.StandardInput.Flush();
        var read = _process.StandardOutput.ReadLineAsync();
        Assert.True(read.Wait(s_patience), $"stageaudit {string.Join(' ', args)} hangs under {fault}");
        Assert.True(read.Result is not null, $"stageaudit {string.Join(' ', args)} under {fault} ended its process");
        var answer = JsonSerializer.Deserialize<Answer>(read.Result)!;
        return (new Ended(answer.ExitCode, answer.Output, answer.Error, watch.Elapsed), answer.Calls);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private sealed record Request(string Mode, int At, bool IsSticky, string[] Args);

    private sealed record Answer(int ExitCode, string Output, string Error, int Calls);
}
