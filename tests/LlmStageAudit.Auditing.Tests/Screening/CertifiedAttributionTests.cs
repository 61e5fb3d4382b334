using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Auditing.Ranking;
using LlmStageAudit.Auditing.Screening;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Tests.Screening;

/// <summary>Budgets on a tiny language model's run of 6, 2 and 3 steps, where exact replay of every stage costs 8 gradients.</summary>
public sealed class CertifiedAttributionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TrainedRun _run;
    private readonly Probe _probe;

    public CertifiedAttributionTests()
    {
        _run = Train("run", TinyRun.Write(_folder, TinyRun.AdamW));
        _probe = ReadProbe(_run, "log-likelihood");
    }

    [Theory]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1)]
    public void A_budget_for_everything_is_exact_replay_to_the_bit(double budget)
    {
        var exact = StageAttribution.Attribute(new(_run, _probe, new AttributionRequest()));
        var found = Certify(new AttributionRequest(), budget);
        Assert.Equal(exact.Effects.Select(Written), found.Effects.Select(effect => Written(effect with { Estimator = null })));
        Assert.Equal(("replay", "exact"), (found.Method, found.Gradient));
        Assert.All(found.Effects, effect => Assert.Equal(Estimator.Exact, effect.Estimator));
        var record = found.Certification!;
        Assert.Null(record.Screen);
        Assert.Equal(["first", "second", "third"], record.Settled);
        Assert.Equal((8, 8, 8.0 / 11), (record.EverythingGradients, record.SpentGradients, record.SpentTrainings));
        Assert.Equal(exact.Effects.MaxBy(effect => Math.Abs(effect.Estimate))!.Stage, Assert.Single(record.Head));
        Assert.Empty(record.Open);
    }

    [Fact]
    public void Nothing_to_spend_settles_what_is_free_and_says_that_it_is_not_certain()
    {
        var found = Certify(new AttributionRequest(), 0);
        var record = found.Certification!;
        Assert.Equal("certified", found.Method);
        Assert.Equal(Estimator.Parse("recorded"), record.Screen);
        Assert.Equal(["third"], record.Settled);
        Assert.Equal(["replay-recorded", "replay-recorded", "replay-exact"], found.Effects.Select(effect => $"{effect.Estimator}"));
        Assert.Equal([TrustGrade.Unknown, TrustGrade.Unknown, TrustGrade.Exact], found.Effects.Select(effect => effect.Trust));
        Assert.All(
            found.Effects.SkipLast(1),
            effect => Assert.Contains("leaving out " + effect.Stage, effect.Evidence!.Settle, StringComparison.Ordinal));
        Assert.Equal(0, record.SpentGradients);
        Assert.False(record.Certain);
        Assert.Equal(["first", "second"], record.Open.Order());
        Assert.Equal(8, record.OpenGradients);
        Assert.StartsWith("not 95% certain", record.Finding, StringComparison.Ordinal);
        Assert.Contains("up to 8 more gradients", record.Finding, StringComparison.Ordinal);
    }

    [Fact]
    public void Screened_effects_are_the_screens_and_settled_ones_exact()
    {
        var exact = StageAttribution.Attribute(new(_run, _probe, new AttributionRequest()));
        // Four gradients hold the replay without the second stage, 3, and not that without the first, 5.
        var found = Certify(new AttributionRequest(), 4.0 / 11);
        Assert.Equal(["second", "third"], found.Certification!.Settled);
        Assert.Equal(3, found.Certification.SpentGradients);
        Assert.Equal(exact.Effects[1].PerExample, found.Effects[1].PerExample);
        Assert.NotEqual(exact.Effects[0].Estimate, found.Effects[0].Estimate);
        Assert.Equal(found.Effects[0].Estimate, found.Effects[0].Screened!.Value, 1e-12);
        Assert.NotEqual(found.Effects[1].Estimate, found.Effects[1].Screened!.Value);
        Assert.Equal(
            Math.Abs(found.Effects[1].Estimate - found.Effects[1].Screened!.Value), found.Certification.ScreeningError!.Value, 1e-12);
        Assert.Equal(["first"], found.Certification.Open);
    }

    [Fact]
    public void Steps_are_swept_and_the_top_of_them_settled()
    {
        var request = new AttributionRequest { Treatment = Treatment.Of("step") };
        var exact = StageAttribution.Attribute(new(_run, _probe, request));
        var found = Certify(request, 3.5);
        var record = found.Certification!;
        Assert.IsType<Estimator.Adjoint>(record.Screen);
        Assert.Equal(55, record.EverythingGradients);
        Assert.InRange(record.SpentGradients, 1, 3.5 * 11);
        Assert.InRange(record.Settled.Count, 4, 10);
        Assert.Equal(Enumerable.Range(1, 11).Select(step => $"step {step}"), found.Effects.Select(effect => effect.Stage));
        Assert.Equal(Enumerable.Range(1, 11), found.Effects.Select(effect => effect.FirstStep!.Value));
        foreach (var (truth, effect) in exact.Effects.Zip(found.Effects))
        {
            Assert.Equal(record.Settled.Contains(effect.Stage), effect.Estimator == Estimator.Exact);
            if (effect.Estimator == Estimator.Exact) Assert.Equal(truth.Estimate, effect.Estimate);
        }

        if (record.Certain) Assert.Equal(exact.Effects.MaxBy(effect => Math.Abs(effect.Estimate))!.Stage, Assert.Single(record.Head));
        else Assert.True(record.Open.Count > 0 || record.Finding.Contains("more probe examples", StringComparison.Ordinal), record.Finding);
    }

    [Fact]
    public void The_same_is_found_again()
    {
        var request = new AttributionRequest { Treatment = Treatment.Of("step") };
        var (first, second) = (Certify(request, 3), Certify(request, 3));
        Assert.Equal(first.Effects.Select(Written), second.Effects.Select(Written));
        Assert.True(ArtifactJson.AreEqual(first.Certification, second.Certification));
    }

    [Theory]
    [InlineData("adjoint", 5)]
    [InlineData("recorded", 4)]
    public void A_ranking_marks_what_was_only_screened(string screen, double gradients)
    {
        // Four steps a stage on whole data sets: everything costs 12 gradients, a sweep on single examples 3.4.
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW);
        using var run = Train("other", configuration with
        {
            Stages = [.. configuration.Stages.Select(stage => stage with { BatchSize = 10, MicroBatchSize = null, Epochs = 4 })],
        });
        var probe = ReadProbe(run, "log-likelihood");
        var gap = ConfounderGap.Of(probe, "grp");
        var request = new CertificationRequest
        {
            BudgetTrainings = gradients / 12, Order = TopKOrder.Highest, Screen = CertificationRequest.ParseScreen(screen, screen == "adjoint" ? 0.01 : null),
        };
        var found = new CertifiedAttribution(new(run, probe, new AttributionRequest()), gap, request).Attribute();
        Assert.Equal("confounder-gap(grp)", found.Certification!.Measure);
        var ranking = ConfounderRanking.Rank(found, probe, "grp", "effects.json");
        Assert.Equal(["first", "second", "third"], ranking.Ranking.Select(stage => stage.Stage).Order());
        Assert.Equal(ranking.Ranking.OrderByDescending(stage => stage.Score), ranking.Ranking);
        foreach (var stage in ranking.Ranking)
        {
            var effect = found.Effects.Single(effect => effect.Stage == stage.Stage);
            Assert.Equal(found.Certification.Settled.Contains(stage.Stage), stage.Screen is null);
            Assert.Equal(stage.Score, stage.ObservedGap - stage.CounterfactualGap, 1e-9);
            if (stage.Screen is null)
            {
                Assert.InRange(stage.Score, stage.Low, stage.High);
                continue;
            }

            Assert.Equal(effect.Screened!.Value, stage.Score, 1e-9);
            Assert.Equal((1, 1, Significance.No), (stage.PValue, stage.AdjustedPValue, stage.Significant));
            Assert.True(double.IsNaN(stage.Low));
        }

        Assert.Contains(ranking.Ranking, stage => stage.Screen is not null);
        Assert.Contains(ranking.Ranking, stage => stage.Stage == "third" && stage.Screen is null);
    }

    [Fact]
    public void Metrics_without_a_gradient_are_screened_for_stages_and_refused_for_steps()
    {
        var probe = ReadProbe(_run, "subgroup-auc");
        EffectsArtifact Attribute(string level, double budget) =>
            Certify(probe, new AttributionRequest { Treatment = Treatment.Of(level) }, budget);
        Assert.Equal(Estimator.Parse("recorded"), Attribute("stage", 0.5).Certification!.Screen);
        var error = Assert.Throws<AttributionException>(() => Attribute("step", 3));
        Assert.Contains("has no gradient", error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Request, error.Kind);
    }

    [Fact]
    public void Every_native_tensor_is_freed() => LiveTensors.ReturnToTheirCount(() =>
    {
        using var scope = NewDisposeScope();
        Certify(new AttributionRequest { Treatment = Treatment.Of("step") }, 3);
    });

    public void Dispose()
    {
        _run.Dispose();
        _folder.Dispose();
    }

    private TrainedRun Train(string name, RunConfiguration configuration)
    {
        RunTrainer.Train(configuration, _folder.At(name), TestDevice.Current, null, default);
        return TrainedRun.Open(_folder.At(name), TestDevice.Current);
    }

    private static string Written(StageEffect effect) => System.Text.Json.JsonSerializer.Serialize(effect, ArtifactJson.CompactOptions);

    private EffectsArtifact Certify(AttributionRequest request, double budget) => Certify(_probe, request, budget);

    private EffectsArtifact Certify(Probe probe, AttributionRequest request, double budget) => new CertifiedAttribution(
        new(_run, probe, request), probe.Performance, new CertificationRequest { BudgetTrainings = budget }).Attribute();

    private Probe ReadProbe(TrainedRun run, string metric)
    {
        var random = Foundation.Randomness.StableRandom.For(5, "certify");
        var rows = Enumerable.Range(0, 40).Select(i =>
        {
            var ids = string.Join(',', Enumerable.Range(0, 4).Select(_ => 1 + random.Next(TinyModel.Vocabulary - 1)));
            return $$"""{"ids": [{{ids}}], "label": {{i % 2}}, "grp": {{(i % 4 < 2 ? 1 : 0)}}}""";
        });
        File.WriteAllText(_folder.At($"{metric}.yaml"), $$"""
            name: probe
            data: { path: {{metric}}.jsonl, ids: ids, label: label, groups: [grp] }
            metric: {{metric}}
            """);
        File.WriteAllLines(_folder.At($"{metric}.jsonl"), rows);
        return Probe.Read(ProbeConfigurationReader.Read(_folder.At($"{metric}.yaml")), run.Model, run.Materials.Reader);
    }
}
