using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Tests.Effects;

/// <summary>Attribution of a tiny language model's run, from its folder, against runs really trained without a stage.</summary>
public sealed class StageAttributionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true, 0.3)]
    public void Exact_effects_are_those_of_runs_trained_without_the_stage(bool adamW, bool lora, double dropout = 0)
    {
        using var scope = NewDisposeScope();
        using var run = Train(adamW ? TinyRun.AdamW : TinyRun.Sgd, lora, dropout);
        var probe = ReadProbe(run);
        var request = new AttributionRequest { ExportFolder = _folder.At("exported") };
        var effects = StageAttribution.Attribute(new(run, probe, request));
        var evaluator = new ProbeEvaluator(run.Model, probe);
        var observed = evaluator.Evaluate(run.FinalState());
        Assert.Equal(["first", "second", "third"], effects.Effects.Select(effect => effect.Stage));
        foreach (var effect in effects.Effects.SkipLast(1))
        {
            var path = _folder.At($"without-{effect.Stage}");
            RunTrainer.TrainWithout(run, effect.Stage, path, null, default);
            using var counterfactual = TrainedRun.Open(path, TestDevice.Current);
            Vectors.SameBits(counterfactual.FinalState(), StateFolder.Read(effect.ExportedAdapter!, run.Model));
            var scores = evaluator.Evaluate(counterfactual.FinalState());
            Assert.Equal(observed.Mean - scores.Mean, effect.Estimate, 1e-12);
            Assert.NotEqual(0, effect.Estimate);
            Assert.InRange(effect.Estimate, effect.Low!.Value, effect.High!.Value);
            Assert.Equal(
                observed.Examples.Zip(scores.Examples, (o, c) => o.Value - c.Value), effect.PerExample.Select(example => example.Estimate));
            Assert.Equal(probe.Examples.Select(example => example.Id), effect.PerExample.Select(example => example.Id));
        }

        // Without the last stage nothing has to be trained: it is the state before it.
        Vectors.SameBits(run.StateBefore(2), StateFolder.Read(effects.Effects[2].ExportedAdapter!, run.Model));
        Assert.Equal(5 + 3, effects.GradientEquivalents);
    }

    /// <summary>Dearer than exact replay and further off: they are compared, and answer nothing.</summary>
    [Theory]
    [InlineData("linear")]
    [InlineData("midpoint")]
    public void Dominated_sources_are_refused_with_a_hint(string source)
    {
        using var run = Train(TinyRun.Sgd, lora: true);
        var refused = Assert.Throws<ConfigurationException>(() =>
            StageAttribution.Attribute(new(run, ReadProbe(run), new AttributionRequest { Estimator = Estimator.Parse(source) })));
        Assert.Contains(
            $"'{source}'; expected recorded, sampled, exact: {source} costs more than exact", refused.Message, StringComparison.Ordinal);
        Assert.Contains("only compare holds it against retraining", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private TrainedRun Train(OptimizerSection optimizer, bool lora, double dropout = 0)
    {
        var configuration = TinyRun.Write(_folder, optimizer, lora);
        if (dropout > 0) configuration = configuration with { Adapter = configuration.Adapter! with { Dropout = dropout } };
        RunTrainer.Train(configuration, _folder.At("run"), TestDevice.Current, null, default);
        return TrainedRun.Open(_folder.At("run"), TestDevice.Current);
    }

    private Probe ReadProbe(TrainedRun run)
    {
        var configuration = new ProbeConfiguration
        {
            Name = "probe",
            Path = _folder.At("probe.yaml"),
            Dataset = new DatasetSection { Path = TinyRun.WriteRows(_folder, "probe.jsonl", "probe", 12), Ids = "ids" },
        };
        return Probe.Read(configuration, run.Model, run.Materials.Reader);
    }
}
