using System.Diagnostics;

namespace LlmStageAudit.Modeling.Tests.Engine.Operators;

/// <summary>
/// Makes wrong calls in processes of their own: this very assembly, started as a program. Where one ends its process, the call is
/// recorded and another process makes the rest.
/// </summary>
internal static class OperatorProcess
{
    public const string Failed = "failed", Answered = "answered", Spoiled = "spoiled", Leaked = "leaked", Died = "died";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>The program: the calls of one list from one on, each named before it is made.</summary>
    public static int Main(string[] args)
    {
        TorchEngine.Register();
        // Large tensors before anything was asked of the engine room: TorchSharp, not the room, has then loaded libtorch.
        for (var i = 0; i < 3; i++) ones([1 << 20]).Dispose();
        var calls = Calls(args[0]);
        using var off = no_grad();
        using var one = ones([1]);
        for (var i = int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture); i < calls.Count; i++)
        {
            Console.WriteLine(i);
            Console.WriteLine(Outcome(calls[i], one));
        }

        return 0;
    }

    /// <summary>What came of each call.</summary>
    /// <param name="list">Its name in the catalogue.</param>
    public static IReadOnlyList<(WrongCall Call, string Outcome)> Run(string list)
    {
        var calls = Calls(list);
        var outcomes = new List<(WrongCall, string)>();
        while (outcomes.Count < calls.Count)
        {
            using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", typeof(OperatorProcess).Assembly.Location, list, $"{outcomes.Count}"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(s_patience)) process.Kill();
            process.WaitForExit();
            // Gradients with a graph are taken from their inputs at once.
            Assert.DoesNotContain("reference cycle", error.Result, StringComparison.Ordinal);
            // A line of digits names a call, the next one says what came of it.
            var lines = output.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.True(lines.Length > 0, $"the process ends before its first call: {error.Result}");
            for (var i = 1; i < lines.Length; i += 2) outcomes.Add((calls[outcomes.Count], lines[i]));
            if (lines.Length % 2 != 0) outcomes.Add((calls[outcomes.Count], $"{Died} ({process.ExitCode}) {FirstLine(error.Result)}"));
            else if (process.ExitCode != 0) Assert.Fail($"after the last call: exit code {process.ExitCode}, {error.Result}");
        }

        return outcomes;
    }

    private static IReadOnlyList<WrongCall> Calls(string list) => list switch
    {
        nameof(OperatorCatalogue.Calls) => OperatorCatalogue.Calls,
        nameof(OperatorCatalogue.Deadly) => OperatorCatalogue.Deadly,
        _ => throw new ArgumentException($"no list of calls '{list}'", nameof(list)),
    };

    private static string Outcome(WrongCall call, Tensor one)
    {
        var before = Tensor.TotalCount;
        var outcome = Answered;
        try
        {
            using var scope = NewDisposeScope();
            call.Work();
        }
        catch (Exception exception)
        {
            outcome = $"{Failed} {exception.GetType().Name} {FirstLine(exception.Message)}";
        }

        try
        {
            // An error that nobody looked at comes out of the next call.
            using var two = one + one;
            if (two.ToNumber() != 2) return $"{Spoiled} 1 + 1 is {two.ToNumber()}";
        }
        catch (Exception exception)
        {
            return $"{Spoiled} {exception.GetType().Name} {FirstLine(exception.Message)}";
        }

        return Tensor.TotalCount == before ? outcome : $"{Leaked} {Tensor.TotalCount - before} tensors";
    }

    private static string FirstLine(string text) => text.Split('\n')[0].Trim();
}
