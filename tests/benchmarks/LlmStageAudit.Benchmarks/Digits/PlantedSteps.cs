using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>How well the step scores of one adjoint sweep single out the steps that were planted.</summary>
internal static class PlantedSteps
{
    /// <summary>
    /// The probability that a planted step scores above another one (AUC), the effect being on the mean log-likelihood of probe digits.
    /// </summary>
    /// <param name="digits">The probe digits whose mean it is.</param>
    /// <param name="sign">1 where planted steps should raise it, -1 where they should lower it.</param>
    public static double AreaUnderCurve(DigitRun run, PerceptronObjective probe, IReadOnlyList<int> digits, int sign)
    {
        using var scope = NewDisposeScope();
        var final = run.Trajectory.StateBefore(run.Trajectory.Programs.Count);
        var gradient = -probe.LossAndGradient(final, digits).Gradient;
        var steps = new AdjointSweep(run.Trajectory, new Estimator.Adjoint(new Curvature.Full()), seed: 0)
            .Run([gradient], ofExamples: false, ofBlocks: false, null, default)[0].Steps;
        var ranks = Ranks.Mid([.. steps.Select(step => sign * step.Effect)]);
        var planted = steps.Select((step, i) => run.PlantedSteps.Contains(step.StageStep) ? ranks[i] : 0).Sum();
        double count = run.PlantedSteps.Count;
        return (planted - (count * (count + 1) / 2)) / (count * (steps.Count - count));
    }
}
