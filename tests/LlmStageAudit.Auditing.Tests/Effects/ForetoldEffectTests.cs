using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Tests.Effects;

/// <summary>What is foretold of the effects on a probe, on the tiny language model, against exact replay.</summary>
public sealed class ForetoldEffectTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>
    /// Of AdamW too: the lengths of parameters, most of which no gradient moves much, would foretell many times the error.
    /// </summary>
    [Theory]
    [InlineData("recorded", true)]
    [InlineData("recorded", false)]
    [InlineData("adjoint", false)]
    public void The_error_is_that_of_the_effects(string source, bool adamW)
    {
        using var run = Train(adamW ? TinyRun.AdamW with { LearningRate = 1e-3 } : TinyRun.Sgd with { LearningRate = 5e-3 });
        var truth = Effects(run, new AttributionRequest());
        var found = Effects(run, new AttributionRequest { Estimator = Estimator.Parse(source) });
        for (var stage = 0; stage < 2; stage++)
        {
            // The largest sum of an adjoint is settled.
            if (found[stage].Trust == TrustGrade.Exact) continue;
            var error = Vectors.RelativeDistance(
                [.. truth[stage].PerExample.Select(example => example.Estimate)],
                [.. found[stage].PerExample.Select(example => example.Estimate)]);
            var evidence = found[stage].Evidence!;
            var predicted = evidence.PredictedError!.Value + (source == "adjoint" ? evidence.LinearityGap!.Value : 0);
            Assert.True(predicted / error is > 0.2 and < 5, $"stage {stage + 1}: foretold {predicted:g3}, found {error:g3}");
            Assert.True(evidence.Checks > 0 && found[stage].Trust is not (TrustGrade.Exact or TrustGrade.Unknown));
        }
    }

    public void Dispose() => _folder.Dispose();

    private TrainedRun Train(OptimizerSection optimizer)
    {
        // Eight steps on the whole set, of which a few say what the others do.
        var configuration = TinyRun.Write(_folder, optimizer);
        configuration = configuration with
        {
            Stages = [.. configuration.Stages.Select(stage => stage with { BatchSize = 10, MicroBatchSize = null, Epochs = 9 })],
        };
        RunTrainer.Train(configuration, _folder.At("run"), TestDevice.Current, null, default);
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
