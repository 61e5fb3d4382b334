using System.Globalization;
using System.Text.RegularExpressions;
using LlmStageAudit.EndToEnd.Tests.Crashes;
using LlmStageAudit.Testing;

namespace LlmStageAudit.EndToEnd.Tests.LongRuns;

/// <summary>
/// Runs of several hundred steps in processes of their own: what grows with the steps is found, and the same run has the same bytes.
/// The benchmark `long` does it over 5,000 steps with a closer bound, `determinism` over more kinds of runs.
/// </summary>
public sealed partial class LongRunTests : IDisposable
{
    private const int Steps = 900;

    /// <summary>Well into the second stage: the first end of a stage runs much for the first time.</summary>
    private const int WarmUp = 600;

    /// <summary>Code that is compiled meanwhile is in it. A gradient of 20 KiB kept at each of 300 steps would be more.</summary>
    private const double GrowthBound = 0.02;

    /// <summary>
    /// The same gradients would be three times this, from two samples to the next two: after some collections more is left over than after
    /// others.
    /// </summary>
    private const long SurvivorBoundKiB = 1365;

    /// <summary>By default what runs often is compiled anew when a process has been quiet for a while: on a busy machine, late.</summary>
    private static readonly Dictionary<string, string> s_compiledEarly = new() { ["DOTNET_TC_CallCountingDelayMs"] = "0" };

    private readonly TemporaryFolder _folder = new();

    public LongRunTests()
    {
        TinyModel.Write(_folder);
        TinyRun.WriteRows(_folder, "first.jsonl", "first", 200);
        TinyRun.WriteRows(_folder, "second.jsonl", "second", 200);
        TinyRun.WriteRows(_folder, "probe.jsonl", "probe", 16);
        _folder.Write("probe.yaml", "name: probe\ndata: { path: probe.jsonl, ids: ids, label: label }\nmetric: log-likelihood\n");
        _folder.Write("run.yaml", """
            model: { path: model, task: sequence-classification, labels: 2, weights: random }
            adapter: { r: 16, alpha: 16, dropout: 0.1, targetModules: [query_key_value, dense_h_to_4h, dense_4h_to_h] }
            optimizer: { name: adamw, learningRate: 1e-3, weightDecay: 0.01, clipNorm: 5 }
            seed: 7
            batchSize: 4
            stages:
              - { name: first, data: { path: first.jsonl, ids: ids, label: label }, epochs: 9 }
              - { name: second, data: { path: second.jsonl, ids: ids, label: label }, epochs: 9 }
            """);
    }

    public void Dispose() => _folder.Dispose();

    [ProcessFact]
    public void Nothing_grows_with_the_steps_and_the_bytes_are_the_same_in_every_process()
    {
        var trained = Train("run");
        AssertFlat(trained);
        AssertFlat(Samples("attribute", _folder.At("run"), "--probe", _folder.At("probe.yaml"), "--steps", "3-4", "--treatment", "steps"));
        Train("again");
        Assert.Empty(ArtifactTree.Differences(Bytes("run"), Bytes("again")));
    }

    private Sample[] Train(string run) => Samples("train", _folder.At("run.yaml"), "--out", _folder.At(run));

    // Effects are of one of the runs only; a seal pins the manifest to the byte, and with it the times.
    private SortedDictionary<string, string> Bytes(string run) => new(
        ArtifactTree.Of(_folder.At(run))
            .Where(file => !file.Key.StartsWith("effects", StringComparison.Ordinal) && file.Key != "seal.json")
            .ToDictionary(),
        StringComparer.Ordinal);

    private static void AssertFlat(Sample[] samples)
    {
        Assert.Equal(Steps, samples[^1].Step);
        var warm = samples.Where(sample => sample.Step >= WarmUp).ToArray();
        Assert.Equal(4, warm.Length);
        Assert.Single(warm.Select(sample => sample.Tensors).Distinct());
        Assert.InRange(warm[^1].Files - warm[0].Files, -2, 2);
        Assert.InRange(warm[^1].Threads - warm[0].Threads, -4, 2);
        var (early, late) = (Math.Min(warm[0].Survived, warm[1].Survived), Math.Min(warm[2].Survived, warm[3].Survived));
        Assert.InRange(late - early, -SurvivorBoundKiB * 15, SurvivorBoundKiB);
        var growth = ((double)warm[^1].Resident / warm[0].Resident) - 1;
        Assert.True(
            growth < GrowthBound,
            $"resident memory grew by {growth:P1}: {string.Join(", ", samples.Select(sample => sample.Resident))} KiB");
    }

    private static Sample[] Samples(params string[] args)
    {
        var ended = BuiltCommand.Run([.. args, "--threads", "1", "--log-level", "debug"], s_compiledEarly);
        Assert.True(ended.ExitCode == 0, ended.ToString());
        return [.. Line().Matches(ended.Error).Select(match => new Sample(
            Number(match, 1), Number(match, 2), Number(match, 3), Number(match, 4), Number(match, 5), Number(match, 6)))];
    }

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"  (\d+)/\d+  .*resident=(\d+) .*survived=(\d+) tensors=(\d+) files=(\d+) threads=(\d+)")]
    private static partial Regex Line();

    private sealed record Sample(long Step, long Resident, long Survived, long Tensors, long Files, long Threads);
}
