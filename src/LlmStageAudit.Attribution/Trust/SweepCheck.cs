using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// Checks a sweep's propagator where it is used: a few steps are really skipped, the run goes on from there for a few steps with
/// true gradients, and the difference is held against the linear one:
/// <code>error after w steps = ||d_linear - d_true|| / ||d_true||</code>
/// Curvature left out adds to it at every step, so the error at the end of the run is taken as growing with the steps left.
/// </summary>
internal sealed class SweepCheck(ITrajectory trajectory, PropagationOptions options)
{
    private const int Window = 6;

    /// <summary>Their cost in full-batch gradients.</summary>
    public double GradientEquivalents { get; private set; }

    /// <summary>The median over the checked steps of the error foretold at the end of the run, and the worst.</summary>
    /// <param name="scores">What the sweep found: its largest score is checked, and steps a quarter and three quarters through the run.</param>
    public (double Predicted, double Worst, int Checks) Run(IReadOnlyList<StepScore> scores)
    {
        int[] places =
        [
            Enumerable.Range(0, scores.Count).MaxBy(i => Math.Abs(scores[i].Effect)),
            scores.Count / 4,
            3 * scores.Count / 4,
        ];
        var errors = places.Distinct().Select(place => Foretold(scores[place], scores.Count - 1 - place)).Order().ToArray();
        return (errors[errors.Length / 2], errors[^1], errors.Length);
    }

    private double Foretold(StepScore skipped, int stepsLeft)
    {
        if (stepsLeft == 0) return 0;
        using var scope = NewDisposeScope();
        using var observed = new ObservedStage(trajectory, skipped.StageIndex, "adjoint");
        var curvature = Curvature.Full(options.Rho, options.Seed);
        OptimizerState? truth = null;
        StatePerturbation? linear = null;
        var (error, made) = (0.0, 0);
        foreach (var step in observed.Forwards())
        {
            if (step.Step.StageStep < skipped.StageStep) continue;
            if (step.Step.StageStep == skipped.StageStep)
            {
                truth = step.Before.Clone();
                linear = step.Change();
                continue;
            }

            if (made == Window) break;
            made++;
            var gradient = step.Program.Gradient(step.Step, truth!.Theta).Gradient;
            truth = step.Program.Optimizer.Advance(truth, gradient, step.Step.LearningRate);
            linear = step.Propagator(options.EpsilonFloor).Forward(linear!, curvature.Products(step, [linear!.Theta])[0]);
            using var off = no_grad();
            var change = step.After.Theta - truth.Theta;
            error = DriftTally.Ratio((linear.Theta - change).norm().item(), change.norm().item());
        }

        GradientEquivalents += made + curvature.GradientEquivalents;
        // The last step of a stage hands its change on as it is; the next job's curvature goes unchecked then.
        return made == 0 ? 0 : error * Math.Max(1, (double)stepsLeft / made);
    }
}
