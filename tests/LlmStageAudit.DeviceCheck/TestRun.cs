using System.Diagnostics;
using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace LlmStageAudit.DeviceCheck;

/// <summary>What came of the tests of one project.</summary>
/// <param name="Passed">Tests.</param>
/// <param name="Failed">Tests, and whatever failed around them.</param>
/// <param name="Skipped">Tests.</param>
/// <param name="Complete">False where the time was over first.</param>
/// <param name="Seconds">Wall time.</param>
/// <param name="Failures">A test's name and message each.</param>
/// <param name="SkipReasons">How many tests each kept from running.</param>
internal sealed record TestRun(
    int Passed,
    int Failed,
    int Skipped,
    bool Complete,
    double Seconds,
    IReadOnlyList<TestFailure> Failures,
    IReadOnlyDictionary<string, int> SkipReasons)
{
    /// <summary>Runs every test of an assembly; after the time limit none is begun.</summary>
    public static TestRun Of(Assembly tests, TimeSpan limit)
    {
        using var counts = new TestCounts(limit);
        using var framework = new XunitTestFramework(counts);
        using var executor = framework.GetExecutor(tests.GetName());
        var watch = Stopwatch.StartNew();
        executor.RunAll(counts, new TestOptions(), new TestOptions());
        counts.WaitForEnd();
        return new TestRun(
            counts.Passed, counts.Failures.Count, counts.SkipReasons.Values.Sum(), !counts.WasCut, watch.Elapsed.TotalSeconds,
            counts.Failures, counts.SkipReasons);
    }
}

/// <summary>A test that failed.</summary>
/// <param name="Test">Its name with its arguments.</param>
/// <param name="Message">The exception, one line.</param>
internal sealed record TestFailure(string Test, string Message);

/// <summary>xunit's options, none of them set.</summary>
internal sealed class TestOptions : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
{
    private readonly Dictionary<string, object?> _values = [];

    public TValue GetValue<TValue>(string name) => _values.GetValueOrDefault(name) is TValue value ? value : default!;

    public void SetValue<TValue>(string name, TValue value) => _values[name] = value;
}
