using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Observed;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Attribution.Tests.Trust;

/// <summary>What spot checks foretell, against training again in float64.</summary>
public sealed class SpotCheckTests
{
    private static readonly Counterfactual s_first = Counterfactual.WithoutStage("first", 0);
    private static readonly Counterfactual s_second = Counterfactual.WithoutStage("second", 1);
    private static readonly Counterfactual s_fourth = Counterfactual.WithoutSteps("step 4", 0, [4]);
    private static readonly Counterfactual s_steps = Counterfactual.WithoutSteps("steps 2-3", 0, [2, 3]);

    public static TheoryData<string, string> Sources => new()
    {
        { "recorded", "sgd" }, { "linear", "sgd" }, { "adjoint", "sgd" }, { "recorded", "adamw" }, { "linear", "adamw" },
    };

    [Theory]
    [InlineData("linear")]
    [InlineData("midpoint")]
    [InlineData("adjoint")]
    public void Where_an_estimate_is_exact_no_error_is_foretold(string source)
    {
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0);
        foreach (var (predicted, tally) in Checked(run, source, s_first, s_fourth, s_steps))
        {
            Assert.InRange(predicted, 0, 1e-10);
            Assert.InRange(tally.GradientMismatch, 0, 1e-10);
            Assert.True(tally.Checks > 0 && tally.Growth > 0);
        }
    }

    [Fact]
    public void Gradients_that_are_not_corrected_at_all_are_missed_as_a_whole()
    {
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0);
        foreach (var (predicted, tally) in Checked(run, "recorded", s_first, s_fourth, s_steps))
        {
            Assert.Equal(1, tally.GradientMismatch, 1e-12);
            Assert.True(predicted > 0.05);
        }
    }

    /// <summary>
    /// Three jobs of 16 steps each, on whole sets so that no batch is luckier than another, at small, medium and large rates:
    /// what is foretold is near what comes out.
    /// </summary>
    [Theory]
    [MemberData(nameof(Sources))]
    public void What_is_foretold_is_of_the_order_of_the_error(string source, string optimizer)
    {
        var ratios = new List<double>();
        double[] rates = optimizer == "sgd" ? [1e-3, 3e-3, 1e-2] : [1e-3, 5e-3, 2e-2];
        foreach (var rate in rates)
        {
            var section = (optimizer == "sgd" ? SmallRun.Sgd : SmallRun.AdamW) with { LearningRate = rate };
            using var run = SmallRun.Train(section, cubic: 0.5, (_, stage) => stage with { BatchSize = 10, Epochs = 16 });
            Counterfactual[] questions = [s_first, s_second, s_steps];
            double[][] truth =
            [
                run.RetrainWithout(0), run.RetrainWithout(1), run.Retrain((stage, step) => stage == 0 && step.StageStep is 2 or 3),
            ];
            using var scope = NewDisposeScope();
            var estimation = Ask(run, source, questions);
            for (var i = 0; i < questions.Length; i++)
            {
                var error = SmallRun.Error(run, estimation.Counterfactuals[i].ToArray<double>(), truth[i]);
                ratios.Add(Predicted(estimation, i) / error);
            }
        }

        var shown = string.Join(", ", ratios.Select(ratio => ratio.ToString("g3", null)));
        if (optimizer == "sgd") Assert.True(ratios.All(ratio => ratio is > 0.25 and < 4), shown);
        // AdamW moves coordinates of small gradients as far as others, which d's length counts in full: mostly a bound from above.
        else Assert.True(ratios.All(ratio => ratio > 0.2) && ratios.Count(ratio => ratio > 0.9) >= ratios.Count - 2, shown);
    }

    [Fact]
    public void A_source_that_lies_gets_a_low_grade()
    {
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0);
        Assert.Equal(TrustGrade.High, Grade(1));
        Assert.Equal(TrustGrade.Low, Grade(-1));
        Assert.Equal(TrustGrade.Low, Grade(1.5));

        TrustGrade Grade(double factor)
        {
            using var scope = NewDisposeScope();
            using var check = new SpotCheck(new CheckPlan([s_first], run.Programs), 1, independent: false);
            var theta = new CounterfactualReplay(run, new ScaledGradient(factor)) { SpotCheck = check }.Run([s_first], null, default)[0];
            var predicted = PredictedRelativeError.OfParameters(check.Of(0).Error!, run.StateBefore(3) - theta);
            return TrustAssessment.Of(Estimator.Parse("linear"), check.Of(0), predicted, 0).Grade;
        }
    }

    [Fact]
    public void Curvature_that_lies_gets_a_low_grade()
    {
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0);
        Assert.Equal(TrustGrade.High, Grade(1));
        Assert.Equal(TrustGrade.Low, Grade(-1));
        Assert.Equal(TrustGrade.Low, Grade(0));

        TrustGrade Grade(double factor)
        {
            using var scope = NewDisposeScope();
            using var check = new SpotCheck(new CheckPlan([s_first], run.Programs), 1, independent: false);
            var propagation = new ForwardPropagation(run, new ScaledCurvature(factor), 0) { SpotCheck = check };
            var change = propagation.Run([s_first], eachAlone: false, null, default)[0];
            var predicted = PredictedRelativeError.OfParameters(check.Of(0).Error!, change);
            return TrustAssessment.Of(Estimator.Parse("adjoint"), check.Of(0), predicted, 0).Grade;
        }
    }

    [Theory]
    [InlineData("recorded")]
    [InlineData("linear")]
    [InlineData("sampled")]
    [InlineData("adjoint")]
    public void Questions_asked_together_are_checked_as_if_alone(string source)
    {
        using var run = SmallRun.Train(SmallRun.AdamW, cubic: 0.3);
        Counterfactual[] questions = [s_first, s_fourth, s_steps];
        var together = Checked(run, source, questions);
        for (var i = 0; i < questions.Length; i++)
        {
            var (predicted, alone) = Checked(run, source, questions[i])[0];
            Assert.Equal(alone.Checks, together[i].Tally.Checks);
            Assert.Equal(predicted, together[i].Predicted, 1e-9 * predicted);
            Assert.Equal(alone.GradientMismatch, together[i].Tally.GradientMismatch, 1e-9);
            Assert.Equal(alone.Growth, together[i].Tally.Growth, 1e-9);
        }
    }

    /// <summary>Each check is one gradient; stages of 5, 3 and 5 steps that move have two each, as the few after step 4 or 3 have.</summary>
    [Fact]
    public void Checks_are_paid_for()
    {
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);
        using var scope = NewDisposeScope();
        Assert.Equal(4 + 6 + 6, Ask(run, "recorded", s_first, s_fourth, s_steps).GradientEquivalents);
        var unchecked_ = Estimation.Run(run, Estimator.Parse("recorded"), 1, [s_first], null, default);
        Assert.Null(unchecked_.Checks);
        Assert.Equal(0, unchecked_.GradientEquivalents);
    }

    [Fact]
    public void Looking_changes_nothing()
    {
        using var run = SmallRun.Train(SmallRun.AdamW, cubic: 0.3);
        foreach (var source in new[] { "recorded", "linear", "sampled", "adjoint" })
        {
            using var scope = NewDisposeScope();
            var watched = Ask(run, source, s_first, s_steps);
            var alone = Estimation.Run(run, Estimator.Parse(source), 1, [s_first, s_steps], null, default);
            Vectors.SameBits(alone.Changes[0], watched.Changes[0]);
            Vectors.SameBits(alone.Changes[1], watched.Changes[1]);
        }
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("adjoint")]
    public void Live_tensors_return(string source)
    {
        using var run = SmallRun.Train(SmallRun.AdamW, cubic: 0.3);
        LiveTensors.ReturnToTheirCount(() => Checked(run, source, s_first, s_steps));
    }

    private static Estimation Ask(RetrainableTrajectory run, string source, params Counterfactual[] questions) =>
        Estimation.Run(run, Estimator.Parse(source), 1, questions, null, default, spotChecks: true);

    private static double Predicted(Estimation estimation, int question) =>
        PredictedRelativeError.OfParameters(estimation.PredictedErrors[question]!, estimation.Changes[question]);

    private static (double Predicted, DriftTally Tally)[] Checked(
        RetrainableTrajectory run, string source, params Counterfactual[] questions)
    {
        using var scope = NewDisposeScope();
        var estimation = Ask(run, source, questions);
        return [.. questions.Select((_, i) => (Predicted(estimation, i), estimation.Checks!.Of(i)))];
    }

    /// <summary>The true gradient times a number.</summary>
    private sealed class ScaledGradient(double factor) : CounterfactualGradients(new GradientSource.Linear(), needsObserved: true)
    {
        internal override IReadOnlyList<Tensor> Gradients(ReplayStep step, IReadOnlyList<Tensor> counterfactualThetas) =>
            [.. counterfactualThetas.Select(theta => step.Program.Gradient(step.Step, theta).Gradient.times(factor))];
    }

    /// <summary>The Hessian times a number.</summary>
    private sealed class ScaledCurvature(double factor) : CurvatureProduct("scaled")
    {
        public override Tensor[] Products(ObservedStep step, IReadOnlyList<Tensor> vectors) =>
            [.. Full().Products(step, vectors).Select(product => product.times(factor))];
    }
}
