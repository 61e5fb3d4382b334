using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Tests;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Tests.Effects;

/// <summary>The tiny run: stages of 6, 2 and 3 steps, whose recorded gradients are no guide at its learning rate.</summary>
public sealed class ExactReplayOfferTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void An_effect_of_unknown_trust_says_how_to_settle_it()
    {
        using var run = Train();
        var effects = Effects(run, new AttributionRequest { Estimator = Estimator.Parse("recorded") });
        Assert.Equal(TrustGrade.Unknown, effects[0].Trust);
        Assert.Equal(2 + 3, effects[0].Evidence!.SettleGradientEquivalents);
        Assert.Equal(
            $"plan {run.Folder.Root} with leaving out first, output without-first.json && retrain without-first.json",
            effects[0].Evidence!.Settle);
        Assert.Equal(TrustGrade.Exact, effects[2].Trust);
        Assert.All(effects, effect => Assert.Equal(effect.Trust == TrustGrade.Unknown, effect.Evidence!.Settle is not null));
    }

    [Fact]
    public void Skipped_steps_are_settled_by_exact_replay()
    {
        using var run = Train();
        var request = new AttributionRequest { Estimator = Estimator.Parse("tracin"), Treatment = new Treatment.Steps() };
        var effects = Effects(run, request);
        Assert.Equal([5, 3, 0], effects.Select(effect => effect.Evidence!.SettleGradientEquivalents));
        Assert.Equal(
            ["1-6", "7-8", "9-11"], effects.Select(effect => effect.Evidence!.Settle!.Split("the treatment steps, the steps ")[1]));
        Assert.StartsWith(
            $"attribute {run.Folder.Root} with the probe {_folder.At("probe.yaml")}, ",
            effects[0].Evidence!.Settle!,
            StringComparison.Ordinal);

        effects = Effects(run, request with { Treatment = new Treatment.Steps("8,2-4,6", "11") });
        // Of stage 1 the fifth, of stage 2 the first, all of stage 3; after step 11 comes nothing.
        Assert.Equal([1 + 1 + 3, 0], effects.Select(effect => effect.Evidence!.SettleGradientEquivalents));
        Assert.Equal(["2-4,6,8", "11"], effects.Select(effect => effect.Evidence!.Settle!.Split("the treatment steps, the steps ")[1]));
    }

    [Theory]
    [InlineData("3", 3)]
    [InlineData("1-2", 2, 1)]
    [InlineData("1,3,5", 5, 3, 1)]
    [InlineData("1-3,9-10,12", 12, 2, 10, 1, 9, 3)]
    public void Steps_are_written_as_ranges(string expected, params int[] steps) => Assert.Equal(expected, ExactReplayOffer.Ranges(steps));

    [Fact]
    public void Ranges_are_read_as_the_steps_they_were()
    {
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0);
        var random = Foundation.Randomness.StableRandom.For(3, "sets");
        for (var draw = 0; draw < 50; draw++)
        {
            int[] steps = [.. Enumerable.Range(1, 16).Where(step => step == 1 + (draw % 16) || random.Next(2) == 0)];
            var read = StepSet.Parse(ExactReplayOffer.Ranges(steps), run.Programs);
            var found = read.Skipped.SelectMany(pair => pair.Value!.Select(step => StepSet.FirstStep(run.Programs, pair.Key) + step - 1));
            Assert.Equal(steps, found.Order());
        }
    }

    public void Dispose() => _folder.Dispose();

    private TrainedRun Train()
    {
        RunTrainer.Train(TinyRun.Write(_folder, TinyRun.Sgd), _folder.At("run"), TestDevice.Current, null, default);
        return TrainedRun.Open(_folder.At("run"), TestDevice.Current);
    }

    private IReadOnlyList<StageEffect> Effects(TrainedRun run, AttributionRequest request)
    {
        using var scope = NewDisposeScope();
        var configuration = new ProbeConfiguration
        {
            Name = "probe",
            Path = _folder.At("probe.yaml"),
            Dataset = new DatasetSection { Path = TinyRun.WriteRows(_folder, "probe.jsonl", "probe", 12), Ids = "ids" },
        };
        return StageAttribution.Attribute(new(run, Probe.Read(configuration, run.Model, run.Materials.Reader), request)).Effects;
    }
}
