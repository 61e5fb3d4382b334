using LlmStageAudit.Auditing.Ranking;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Auditing.Tests.Ranking;

/// <summary>A ranking of stages from made-up scores, in which it is known who raised what.</summary>
public sealed class ConfounderRankingTests : IDisposable
{
    private const int Rows = 80;
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Stages_are_ordered_by_how_much_they_raised_the_gap()
    {
        // Members score 1 above others. Without `raiser` they would be 0.6 lower, without `lowerer` 0.3 higher; the others do nothing
        // but noise, one of them to members and background alike.
        var probe = ReadProbe();
        var effects = Effects(probe, ("noise", 0, 0), ("lowerer", 0.3, 0), ("shifter", 0.5, 0.5), ("raiser", -0.6, 0));
        var ranking = ConfounderRanking.Rank(effects, probe, "grp", "effects.json");

        Assert.Equal("raiser", ranking.Ranking[0].Stage);
        Assert.Equal("lowerer", ranking.Ranking[^1].Stage);
        Assert.Equal(
            [Significance.Yes, Significance.No, Significance.No, Significance.Yes], ranking.Ranking.Select(stage => stage.Significant));
        Assert.Equal(0.6, ranking.Ranking[0].Score, 0.1);
        Assert.Equal(-0.3, ranking.Ranking[^1].Score, 0.1);
        foreach (var stage in ranking.Ranking)
        {
            Assert.Equal(1, stage.ObservedGap, 1e-12);
            Assert.Equal(stage.Score, stage.ObservedGap - stage.CounterfactualGap, 1e-12);
            Assert.InRange(stage.Score, stage.Low, stage.High);
            Assert.True(stage.AdjustedPValue >= stage.PValue);
            Assert.Equal(stage.AdjustedPValue <= 0.05, stage.Significant == Significance.Yes);
        }

        Assert.Equal(("grp", "effects.json", "run-id"), (ranking.Confounder, ranking.EffectsPath, ranking.RunId));
    }

    [Fact]
    public void With_many_stages_of_noise_about_none_is_called_significant()
    {
        var probe = ReadProbe();
        var effects = Effects(probe, [.. Enumerable.Range(0, 40).Select(i => ($"noise{i}", 0.0, 0.0))]);
        var ranking = ConfounderRanking.Rank(effects, probe, "grp", "effects.json").Ranking;
        Assert.InRange(ranking.Count(stage => stage.Significant == Significance.Yes), 0, 1);
        // Some look significant one by one: that is what the adjustment is for.
        Assert.InRange(ranking.Count(stage => stage.PValue <= 0.05), 1, 7);
        Assert.Equal(ranking.OrderByDescending(stage => stage.Score), ranking);
    }

    [Fact]
    public void Random_groups_are_hardly_ever_called_significant_whatever_their_size()
    {
        foreach (var members in new[] { 1, 2, 5, 20 })
        {
            var called = Enumerable.Range(0, 40).Count(draw =>
            {
                var order = Enumerable.Range(0, Rows).ToArray();
                StableRandom.For(draw, "random group").Shuffle<int>(order);
                var chosen = order[..members].ToHashSet();
                var probe = ReadProbe(chosen.Contains);
                // The stage moves every row, some far: heavy tails, and no group matters.
                var random = StableRandom.For(draw, "random effects");
                var scores = Enumerable.Range(0, Rows).Select(_ => Math.Pow(random.NextNormal(), 3)).ToArray();
                var ranking = ConfounderRanking.Rank(EffectsOf(probe, ("stage", i => scores[i])), probe, "grp", "effects.json");
                var fewest = ranking.Cells.Where(cell => cell.Counts).Min(cell => Math.Min(cell.Members, cell.Others));
                Assert.Equal(fewest < 5, ranking.Ranking[0].Significant == Significance.TooFewRows);
                Assert.Equal(fewest < 5, ranking.Warnings.Any(warning => warning.Code == "too-few-rows"));
                return ranking.Ranking[0].Significant == Significance.Yes;
            });
            Assert.InRange(called, 0, members < 20 ? 1 : 6); // 5% of 40 is 2
        }
    }

    [Fact]
    public void The_least_rows_of_a_cell_can_be_chosen()
    {
        var probe = ReadProbe(i => i < 6);
        var effects = Effects(probe, ("raiser", -0.6, 0));
        Assert.Equal(Significance.TooFewRows, ConfounderRanking.Rank(effects, probe, "grp", "e.json").Ranking[0].Significant);
        var ranking = ConfounderRanking.Rank(effects, probe, "grp", "e.json", leastRows: 3);
        Assert.NotEqual(Significance.TooFewRows, ranking.Ranking[0].Significant);
        Assert.Equal([(3, 37), (3, 37)], ranking.Cells.Select(cell => (cell.Members, cell.Others)));
    }

    [Fact]
    public void A_confounder_the_probe_does_not_group_by_is_refused()
    {
        var probe = ReadProbe();
        var error = Assert.Throws<ProbeException>(() => ConfounderRanking.Rank(Effects(probe, ("a", 0, 0)), probe, "gpr", "effects.json"));
        Assert.Contains("no group 'gpr'", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Members are the first half; labels alternate.</summary>
    private Probe ReadProbe(Func<int, bool>? isMember = null)
    {
        var rows = Enumerable.Range(0, Rows).Select(i => $$"""{"ids": [1], "label": {{i % 2}}, "grp": {{((isMember?.Invoke(i) ?? i < Rows / 2) ? 1 : 0)}}}""");
        var (model, state) = TinyModel.Load(TinyModel.Write(_folder), ModelTask.SequenceClassification);
        using var owned = model;
        state.Dispose();
        var configuration = new ProbeConfiguration
        {
            Name = "probe",
            Path = _folder.At("probe.yaml"),
            Dataset = new DatasetSection { Path = _folder.Write("probe.jsonl", string.Join('\n', rows)), Ids = "ids", Groups = ["grp"] },
        };
        return Probe.Read(configuration, model, new ExampleReader(model, null));
    }

    private static EffectsArtifact Effects(Probe probe, params (string Stage, double Members, double Background)[] stages) => EffectsOf(
        probe,
        [.. stages.Select(stage => (stage.Stage, (Func<int, double>)(i => i < Rows / 2 ? 1 + stage.Members : stage.Background)))]);

    private static EffectsArtifact EffectsOf(Probe probe, params (string Stage, Func<int, double> Without)[] stages)
    {
        ProbeScores Scores(Func<int, double> score) => new()
        {
            Mean = 0,
            Examples = [.. Enumerable.Range(0, Rows).Select(i => new ExampleScore
            {
                Id = $"{i}",
                Value = 0,
                LogLikelihood = 0,
                Logits = [0.25, 0.25 + score(i)],
                Label = i % 2,
            })],
        };
        return new EffectsArtifact
        {
            RunId = "run-id",
            Run = "run",
            Probe = probe.Reference,
            Estimator = Estimator.Parse("exact"),
            Treatment = new Treatment.Stage(),
            Metric = "log-likelihood",
            CreatedUtc = DateTime.UnixEpoch,
            Observed = Scores(i => i < Rows / 2 ? 1 : 0),
            Effects = [.. stages.Select(stage =>
            {
                var random = StableRandom.For(1, stage.Stage);
                return new StageEffect
                {
                    Stage = stage.Stage,
                    Metric = "log-likelihood",
                    Estimate = 0,
                    Low = 0,
                    High = 0,
                    Trust = TrustGrade.Exact,
                    Counterfactual = Scores(i => stage.Without(i) + (0.15 * random.NextNormal())),
                };
            })],
        };
    }
}
