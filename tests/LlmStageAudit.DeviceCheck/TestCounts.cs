using System.Diagnostics;
using Xunit.Abstractions;

namespace LlmStageAudit.DeviceCheck;

/// <summary>Hears from xunit how each test ended.</summary>
/// <param name="limit">After this time no other test is begun.</param>
internal sealed class TestCounts(TimeSpan limit) : IMessageSink, IDisposable
{
    private const int LongestMessage = 600;

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly ManualResetEventSlim _end = new();
    private readonly Lock _lock = new();

    public int Passed { get; private set; }

    public List<TestFailure> Failures { get; } = [];

    public Dictionary<string, int> SkipReasons { get; } = [];

    /// <summary>Whether the time was over before the last test.</summary>
    public bool WasCut { get; private set; }

    public void WaitForEnd() => _end.Wait();

    /// <summary>False asks xunit to stop.</summary>
    public bool OnMessage(IMessageSinkMessage message)
    {
        lock (_lock)
        {
            Count(message);
            if (message is ITestAssemblyFinished) _end.Set();
            else if (_watch.Elapsed > limit) WasCut = true;
            return !WasCut;
        }
    }

    public void Dispose() => _end.Dispose();

    private void Count(IMessageSinkMessage message)
    {
        switch (message)
        {
            case ITestPassed:
                Passed++;
                break;
            case ITestSkipped skipped:
                SkipReasons[skipped.Reason] = SkipReasons.GetValueOrDefault(skipped.Reason) + 1;
                break;
            case IFailureInformation failure:
                var text = string.Join("; ", failure.Messages).ReplaceLineEndings(" ");
                var name = message is ITestMessage test ? test.Test.DisplayName : message.GetType().Name;
                Failures.Add(new TestFailure(name, text.Length > LongestMessage ? text[..LongestMessage] : text));
                Console.Error.WriteLine($"FAIL {name}: {text}");
                break;
        }
    }
}
