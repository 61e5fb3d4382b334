using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Estimators;

/// <summary>
/// Holds a sweep's step scores against the truth at a few steps: those are really skipped, the run goes on with true gradients to its
/// end, and the probe is run there.
/// <code>error = ||scores - true effects|| / ||true effects||    over the checked steps</code>
/// What a score misses builds up over the whole rest of the run, so a replay is of use only when it goes to the end. Two late steps,
/// five and seven eighths through those that move parameters, cost half a training beside the sweep's two and a half; that earlier ones
/// are further off is what the margin of <see cref="TrustCalibration"/> is for.
/// </summary>
public sealed class SweepCheck(ITrajectory trajectory, WalkJournal? journal = null)
{
    /// <summary>Their cost in full-batch gradients.</summary>
    public double GradientEquivalents { get; private set; }

    /// <summary>The grade that the scores earn, and what it rests on.</summary>
    /// <param name="estimator">Of the sweep.</param>
    /// <param name="scores">What the sweep found.</param>
    /// <param name="gamma">The probe's value at a state [N].</param>
    /// <param name="gradient">Its gradient at theta_T, [N].</param>
    /// <param name="cancellation">Checked between steps.</param>
    public (TrustGrade Grade, TrustEvidence Evidence) Assess(
        Estimator.Adjoint estimator,
        IReadOnlyList<StepScore> scores,
        Func<Tensor, double> gamma,
        Tensor gradient,
        CancellationToken cancellation)
    {
        // Measured: whatever two late steps say, those whose moments are fresh are many times further off.
        if (trajectory.Programs.Any(program => program.Optimizer.IgnoresGradientScale))
            return TrustAssessment.Unchecked("under an optimizer with moments late steps say nothing of those whose moments are fresh");
        return Moving(scores).Length < CheckPlan.LeastSteps
            ? TrustAssessment.Unchecked("too few steps move parameters for a few of them to say what the others do")
            : TrustAssessment.OfSweep(Run(scores, gamma, gradient, cancellation), estimator);
    }

    internal SweepCheckFinding Run(
        IReadOnlyList<StepScore> scores, Func<Tensor, double> gamma, Tensor gradient, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var moving = Moving(scores);
        int[] places = [5 * moving.Length / 8, 7 * moving.Length / 8];
        StepScore[] skipped = [.. places.Distinct().Select(place => moving[place])];
        var exact = CounterfactualGradients.From(new GradientSource.Exact(), 0);
        var thetas = new CounterfactualReplay(trajectory, exact) { Journal = journal ?? WalkJournal.None }.Run(
            [.. skipped.Select(score => Counterfactual.WithoutSteps("a step", score.StageIndex, [score.StageStep]))], null, cancellation);
        GradientEquivalents += exact.GradientEquivalents;
        var final = trajectory.StateBefore(trajectory.Programs.Count);
        var observed = gamma(final);
        double[] effects = [.. thetas.Select(theta => observed - gamma(theta))];
        double[] errors = [.. skipped.Zip(effects, (score, effect) => Math.Abs(score.Effect - effect))];
        return new SweepCheckFinding(
            PredictedRelativeError.OfEffects(errors, effects),
            errors.Zip(effects, (error, effect) => DriftTally.Ratio(error, Math.Abs(effect))).Max(),
            LinearityGap.Of(effects, [.. thetas.Select(theta => gradient.dot(final - theta).ToNumber())]),
            skipped.Length);
    }

    private StepScore[] Moving(IReadOnlyList<StepScore> scores) =>
        [.. scores.Where(score => trajectory.Programs[score.StageIndex].Steps[score.StageStep - 1].LearningRate > 0)];
}

/// <summary>
/// What truly skipping a few steps says of a sweep's scores: their relative error over the checked steps, that of the worst of them, and
/// what taking the probe as linear is off by itself, the true change of the parameters given.
/// </summary>
internal readonly record struct SweepCheckFinding(double Error, double Worst, double LinearityGap, int Checks);
