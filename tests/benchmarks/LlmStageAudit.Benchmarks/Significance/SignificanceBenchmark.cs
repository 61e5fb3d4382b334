using System.Diagnostics;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Auditing.Ranking;
using LlmStageAudit.Benchmarks.Certification;
using LlmStageAudit.Foundation.Randomness;
using Verdict = LlmStageAudit.Records.Rankings.Significance;

namespace LlmStageAudit.Benchmarks.Significance;

/// <summary>
/// How often random groups of rows, which no stage can have treated differently, are called significant within a run, and how often a
/// planted group is.
/// </summary>
internal static class SignificanceBenchmark
{
    private const int Runs = 20;
    private const int GroupingsPerSize = 10;
    private const double Promised = 0.05;

    /// <summary>Of Student's t with 19 degrees of freedom.</summary>
    private const double OneSided95 = 1.729;

    private static readonly int[] s_sizes = [2, 5, 10, 20, 40, 80, 160];

    public static void Run()
    {
        var watch = Stopwatch.StartNew();
        var called = s_sizes.ToDictionary(size => size, _ => new List<double>());
        var tooFew = s_sizes.ToDictionary(size => size, _ => 0);
        var (found, alone) = (0, 0);
        for (var seed = 1L; seed <= Runs; seed++)
        {
            var folder = Directory.CreateTempSubdirectory("stageaudit-significance-").FullName;
            try
            {
                using var run = PlantedRun.Train(folder, seed);
                var groups = s_sizes.SelectMany(size => Enumerable.Range(0, GroupingsPerSize).Select(draw => Drawn(seed, size, draw))).ToArray();
                var probe = PlantedRun.ReadProbe(run, folder, seed, groups);
                var effects = StageAttribution.Attribute(new(run, probe, new AttributionRequest()));
                foreach (var size in s_sizes)
                {
                    var rankings = Enumerable.Range(0, GroupingsPerSize)
                        .Select(draw => ConfounderRanking.Rank(effects, probe, Drawn(seed, size, draw).Name, "").Ranking).ToArray();
                    called[size].Add(rankings.Average(stages => stages.Any(stage => stage.Significant == Verdict.Yes) ? 1.0 : 0));
                    tooFew[size] += rankings.Count(stages => stages[0].Significant == Verdict.TooFewRows);
                }

                var planted = ConfounderRanking.Rank(effects, probe, PlantedRun.Group, "").Ranking
                    .Where(stage => stage is { Significant: Verdict.Yes, Score: > 0 }).ToArray();
                if (planted.Any(stage => stage.Stage == PlantedRun.Planted(seed))) found++;
                if (planted is [{ Stage: var only }] && only == PlantedRun.Planted(seed)) alone++;
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        var all = Enumerable.Range(0, Runs).Select(run => s_sizes.Average(size => called[size][run])).ToArray();
        new ResultFile("significance", "Random and planted groups called significant within a run")
            .Paragraph(
                $"{Runs} seeded runs of {PlantedRun.Stages} stages (a small GPT-NeoX, LoRA and a head, AdamW, generated token ids), attributed by "
                + $"exact replay on {PlantedRun.ProbeRows} probe rows. In each, {GroupingsPerSize} groups of every size are drawn at random "
                + "among the probe's rows: no stage can have treated them differently, and an analysis errs where it calls any stage "
                + "significant, which is its false discovery rate. The lower bound is one-sided, 95%, clustered by run.")
            .Table(
                ["Members", "Analyses", "Too few rows", "Any stage called significant", "Lower bound"],
                [.. s_sizes.Select(size => Row($"{size}", Runs * GroupingsPerSize, tooFew[size], [.. called[size]])),
                    Row("all", Runs * GroupingsPerSize * s_sizes.Length, tooFew.Values.Sum(), all)])
            .Paragraph(
                $"The planted group: its stage is called significant in {found} of {Runs} runs, and as the only one that raised the gap in {alone}.")
            .Paragraph($"All of it took {watch.Elapsed.TotalSeconds.Shown("F0")} s.")
            .Write("libtorch on the CPU");
        if (s_sizes.Any(size => LowerBound([.. called[size]]) > Promised) || LowerBound(all) > Promised)
            throw new InvalidOperationException("random groups are called significant more often than promised");
    }

    private static (string Name, IReadOnlySet<int> Members) Drawn(long seed, int size, int draw)
    {
        var rows = Enumerable.Range(0, PlantedRun.ProbeRows).ToArray();
        StableRandom.For(seed, "random group", $"{size}", $"{draw}").Shuffle<int>(rows);
        return ($"random_{size}_{draw}", rows[..size].ToHashSet());
    }

    private static string[] Row(string members, int analyses, int tooFew, double[] perRun) =>
        [members, $"{analyses}", $"{tooFew}", perRun.Average().Shown("P2"), Math.Max(0, LowerBound(perRun)).Shown("P2")];

    private static double LowerBound(double[] perRun)
    {
        var mean = perRun.Average();
        var deviation = Math.Sqrt(perRun.Sum(value => (value - mean) * (value - mean)) / (perRun.Length - 1));
        return mean - (OneSided95 * deviation / Math.Sqrt(perRun.Length));
    }
}
