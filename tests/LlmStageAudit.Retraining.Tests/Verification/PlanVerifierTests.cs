using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Retraining.Executors;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Retraining.Tests.Runs;
using LlmStageAudit.Retraining.Verification;
using LlmStageAudit.Training.Runs;
using static TorchSharp.torch;

namespace LlmStageAudit.Retraining.Tests.Verification;

[Collection(TinyRunCollection.Name)]
public sealed class PlanVerifierTests(RetrainableRun run)
{
    private static readonly double[] s_zeros = new double[RetrainableRun.ProbeRows];

    [Fact]
    public void What_was_measured_is_the_observed_less_the_retrained_log_likelihood()
    {
        var stages = Verify(null, ("first", s_zeros), ("second", s_zeros), ("third", s_zeros)).Stages;
        Assert.Equal(RetrainableRun.Stages, stages.Select(stage => stage.Stage));
        foreach (var stage in stages)
        {
            var expected = Measured(stage.Stage);
            Assert.Equal(expected, stage.MeasuredPerExample);
            Assert.Equal(expected.Average(), stage.Measured, 1e-9);
            Assert.Equal(RetrainableRun.ProbeRows, stage.Examples);
            Assert.Contains(expected, value => Math.Abs(value) > 1e-4);
        }
    }

    [Fact]
    public void A_prediction_that_does_not_vary_has_no_correlation_and_fails_any_gate()
    {
        var verification = Verify(-1, ("first", s_zeros), ("second", s_zeros), ("third", s_zeros));
        Assert.False(verification.Passed);
        Assert.All(verification.Stages, stage => Assert.True(double.IsNaN(stage.Pearson)));
        Assert.All(verification.Stages, stage => Assert.Equal(1, stage.RelativeError, 1e-12));
    }

    [Fact]
    public void Right_to_the_bit_passes_even_a_gate_that_no_correlation_reaches()
    {
        var verification = Verify(2, ("first", Measured("first")), ("second", Measured("second")), ("third", Measured("third")));
        Assert.True(verification.Passed);
        Assert.All(verification.Stages, stage => Assert.Equal(0, stage.RelativeError));
        Assert.All(verification.Stages, stage => Assert.True(stage.BitIdentical));
    }

    [Fact]
    public void One_stage_below_the_gate_fails_the_plan()
    {
        var reversed = Measured("second").Select(value => -value).ToArray();
        (string, double[])[] effects = [("first", Measured("first")), ("second", reversed), ("third", Measured("third"))];
        var verification = Verify(0.9, effects);
        Assert.False(verification.Passed);
        Assert.Equal(-1, verification.Stages[1].Pearson, 1e-9);
        Assert.Equal(2, verification.Stages[1].RelativeError, 1e-9);
        Assert.False(verification.Stages[1].BitIdentical);
        Assert.True(Verify(-1.1, effects).Passed);
        Assert.True(Verify(null, effects).Passed);
    }

    [Theory]
    [InlineData(0.01, true)]
    [InlineData(1000, false)]
    public void Noise_decides_whether_the_gate_is_reached(double noise, bool passes)
    {
        var size = Math.Sqrt(Measured("second").Average(value => value * value));
        var noisy = Measured("second").Select((value, i) => value + (noise * size * (i % 2 == 0 ? 1 : -1))).ToArray();
        var verification = Verify(0.95, ("first", Measured("first")), ("second", noisy), ("third", Measured("third")));
        Assert.Equal(passes, verification.Passed);
        Assert.Equal(noise, verification.Stages[1].RelativeError, noise * 1e-6);
        Assert.Equal(noisy.Average(), verification.Stages[1].Predicted, 1e-9 * noise);
    }

    [Fact]
    public void Jobs_that_were_not_retrained_are_named()
    {
        var plan = run.PlanWith("waiting", Effects("waiting", ("first", s_zeros)), "first", "third");
        var refused = Assert.Throws<RetrainingException>(() => PlanVerifier.Verify(plan, null, null, null));
        Assert.Equal(ErrorKind.Request, refused.Kind);
        Assert.Contains("skip-first, skip-third", refused.Message);
    }

    [Fact]
    public void A_plan_without_predictions_needs_some()
    {
        var refused = Assert.Throws<RetrainingException>(() => PlanVerifier.Verify(run.Plan("unpredicted", "first"), null, null, null));
        Assert.Equal(ErrorKind.Request, refused.Kind);
    }

    [Fact]
    public void A_stage_without_a_prediction_is_named()
    {
        var refused = Assert.Throws<RetrainingException>(() => Verify(null, ("first", s_zeros), ("third", s_zeros)));
        Assert.Equal(ErrorKind.Input, refused.Kind);
        Assert.Contains("no effect of stage 'second'", refused.Message);
    }

    [Fact]
    public void Predictions_of_another_run_or_of_changed_probe_data_are_refused()
    {
        var effects = run.Effects(("first", s_zeros), ("second", s_zeros), ("third", s_zeros));
        var foreign = run.Write("foreign-verify.json", effects with { RunId = "another" });
        Assert.Contains("belongs to run another", Assert.Throws<RetrainingException>(
            () => PlanVerifier.Verify(Retrained(), foreign, null, null)).Message);
        var changed = run.Write("changed-verify.json", effects with { Probe = effects.Probe with { Sha256 = new string('0', 64) } });
        Assert.Contains("changed since", Assert.Throws<RetrainingException>(() => PlanVerifier.Verify(Retrained(), changed, null, null))
            .Message);
    }

    [Fact]
    public void Predictions_on_other_examples_or_of_another_measure_are_refused()
    {
        var tooFew = Assert.Throws<RetrainingException>(() => Verify(null, ("first", [1, 2]), ("second", s_zeros), ("third", s_zeros)));
        Assert.Equal(ErrorKind.Input, tooFew.Kind);
        var effects = run.Effects(("first", s_zeros), ("second", s_zeros), ("third", s_zeros));
        var renamed = run.Write("renamed.json", effects with
        {
            Effects = [.. effects.Effects.Select(effect => effect with { PerExample = [.. effect.PerExample.Select(
                example => example with { Id = "x" + example.Id })] })],
        });
        Assert.Throws<RetrainingException>(() => PlanVerifier.Verify(Retrained(), renamed, null, null));
        var margin = run.Write("margin.json", effects with { Metric = "margin" });
        Assert.Throws<RetrainingException>(() => PlanVerifier.Verify(Retrained(), margin, null, null));
    }

    private VerificationArtifact Verify(double? gate, params (string Stage, double[] PerExample)[] effects) =>
        PlanVerifier.Verify(Retrained(), Effects(Guid.NewGuid().ToString("N"), effects), gate, null);

    private string Effects(string name, params (string Stage, double[] PerExample)[] effects) =>
        run.Write(name + ".json", run.Effects(effects));

    private PlanFile Retrained()
    {
        var plan = File.Exists(run.At("plans", "verified", "plan.json"))
            ? PlanFile.Open(run.At("plans", "verified", "plan.json"))
            : run.Plan("verified", [.. RetrainableRun.Stages]);
        LocalExecutor.Run(plan, null, null, null, CancellationToken.None);
        return plan;
    }

    /// <summary>Both states opened as they lie on disk, the probe scored on each.</summary>
    private double[] Measured(string stage)
    {
        var plan = Retrained();
        using var scope = NewDisposeScope();
        using var trained = TrainedRun.Open(run.Folder.Root);
        var probe = Probe.Read(ProbeConfigurationReader.Read(run.At("probe.yaml")), trained.Model, trained.Materials.Reader);
        var evaluator = new ProbeEvaluator(trained.Model, probe);
        var root = plan.RunOf(plan.Plan.Jobs.Single(job => job.Stage == stage));
        var state = stage switch
        {
            "first" => Path.Combine(root, "stages", "02-third", "state"),
            "second" => Path.Combine(root, "stages", "01-third", "state"),
            _ => Path.Combine(root, "initial"),
        };
        var observed = evaluator.Evaluate(StateFolder.Read(run.Folder.StageStateFolder(2, "third"), trained.Model));
        var retrained = evaluator.Evaluate(StateFolder.Read(state, trained.Model));
        return [.. observed.Examples.Zip(retrained.Examples, (with, without) => with.LogLikelihood - without.LogLikelihood)];
    }
}
