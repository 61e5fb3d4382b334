using System.Diagnostics;
using LlmStageAudit.Auditing;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Auditing.Ranking;
using LlmStageAudit.Benchmarks.Certification;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Rankings;
using Verdict = LlmStageAudit.Records.Effects.Significance;

namespace LlmStageAudit.Benchmarks.Significance;

/// <summary>
/// How often random groups of rows, which no stage can have treated differently, are called significant, and how often a planted group is:
/// within a run, and over runs under several seeds.
/// </summary>
internal static class SignificanceBenchmark
{
    private const int Runs = 20;
    private const int GroupingsPerSize = 10;
    private const double Promised = 0.05;
    private const int FurtherSeeds = 4;

    /// <summary>Of Student's t with 19 degrees of freedom.</summary>
    private const double OneSided95 = 1.729;

    private static readonly int[] s_sizes = [2, 5, 10, 20, 40, 80, 160];

    public static void Run()
    {
        var watch = Stopwatch.StartNew();
        var (within, over) = (
            new Tally("within a run", stage => stage.Significant, stage => stage.Score),
            new Tally("over seeds", stage => stage.OverSeeds!.Significant, stage => stage.OverSeeds!.Mean));
        for (var seed = 1L; seed <= Runs; seed++)
        {
            var folder = Directory.CreateTempSubdirectory("stageaudit-significance-").FullName;
            try
            {
                using var run = PlantedRun.Train(folder, seed);
                var groups = s_sizes.SelectMany(size => Enumerable.Range(0, GroupingsPerSize).Select(draw => Drawn(seed, size, draw))).ToArray();
                var probe = PlantedRun.ReadProbe(run, folder, seed, groups);
                var effects = StageAttribution.Attribute(new(run, probe, new AttributionRequest()));
                var request = new RankRequest
                {
                    Run = run.Folder.Root, Probe = probe.Configuration, Confounders = [PlantedRun.Group], FurtherSeeds = FurtherSeeds,
                };
                var seeds = new SeedSweep(request, new AttributionRequest()).Effects(effects, new WalkHost());
                RankedStage[] Ranked(string group) =>
                    [.. ConfounderRanking.Rank(effects, probe, group, "", seeds: seeds).Ranking];
                foreach (var size in s_sizes)
                {
                    var rankings = Enumerable.Range(0, GroupingsPerSize).Select(draw => Ranked(Drawn(seed, size, draw).Name)).ToArray();
                    foreach (var tally in new[] { within, over }) tally.AddRandom(size, rankings);
                }

                foreach (var tally in new[] { within, over }) tally.AddPlanted(Ranked(PlantedRun.Group), PlantedRun.Planted(seed));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        var file = new ResultFile("significance", "Random and planted groups called significant").Paragraph(
            $"{Runs} seeded runs of {PlantedRun.Stages} stages (a small GPT-NeoX, LoRA and a head, AdamW, generated token ids), attributed by "
            + $"exact replay on {PlantedRun.ProbeRows} probe rows, and each of them again under {FurtherSeeds} further seeds. In each, "
            + $"{GroupingsPerSize} groups of every size are drawn at random among the probe's rows: no stage can have treated them "
            + "differently, and an analysis errs where it calls any stage significant, which is its false discovery rate. The lower bound is "
            + "one-sided, 95%, clustered by run.");
        foreach (var tally in new[] { within, over }) tally.Write(file);
        file.Paragraph($"All of it took {watch.Elapsed.TotalSeconds.Shown("F0")} s.").Write("libtorch on the CPU");
        foreach (var tally in new[] { within, over }) tally.Check();
    }

    private static (string Name, IReadOnlySet<int> Members) Drawn(long seed, int size, int draw)
    {
        var rows = Enumerable.Range(0, PlantedRun.ProbeRows).ToArray();
        StableRandom.For(seed, "random group", $"{size}", $"{draw}").Shuffle<int>(rows);
        return ($"random_{size}_{draw}", rows[..size].ToHashSet());
    }

    /// <summary>What was called significant in one sense of the word.</summary>
    private sealed class Tally(string sense, Func<RankedStage, Verdict> verdict, Func<RankedStage, double> score)
    {
        private readonly Dictionary<int, List<double>> _called = s_sizes.ToDictionary(size => size, _ => new List<double>());
        private readonly Dictionary<int, int> _tooFew = s_sizes.ToDictionary(size => size, _ => 0);
        private int _found;
        private int _alone;

        /// <summary>Any stage called significant, in any group of any size: one number per run.</summary>
        private double[] All => [.. Enumerable.Range(0, Runs).Select(run => s_sizes.Average(size => _called[size][run]))];

        public void AddRandom(int size, RankedStage[][] rankings)
        {
            _called[size].Add(rankings.Average(stages => stages.Any(stage => verdict(stage) == Verdict.Yes) ? 1.0 : 0));
            _tooFew[size] += rankings.Count(stages => verdict(stages[0]) == Verdict.TooFewRows);
        }

        public void AddPlanted(RankedStage[] ranking, string planted)
        {
            var raised = ranking.Where(stage => verdict(stage) == Verdict.Yes && score(stage) > 0).ToArray();
            if (raised.Any(stage => stage.Stage == planted)) _found++;
            if (raised is [{ Stage: var only }] && only == planted) _alone++;
        }

        public void Write(ResultFile file) => file
            .Paragraph($"Called significant {sense}:")
            .Table(
                ["Members", "Analyses", "Too few rows", "Any stage called significant", "Lower bound"],
                [
                    .. s_sizes.Select(size => Row($"{size}", Runs * GroupingsPerSize, _tooFew[size], [.. _called[size]])),
                    Row("all", Runs * GroupingsPerSize * s_sizes.Length, _tooFew.Values.Sum(), All),
                ])
            .Paragraph($"The planted group: its stage is called significant {sense} for {_found} of {Runs}, and as the only one that raised the "
                + $"gap for {_alone}.");

        public void Check()
        {
            if (s_sizes.Any(size => LowerBound([.. _called[size]]) > Promised) || LowerBound(All) > Promised)
                throw new InvalidOperationException($"random groups are called significant {sense} more often than promised");
        }
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
