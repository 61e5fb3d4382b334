using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// How far a wrong gradient takes theta in the end: the optimizer makes the step twice, with the estimate and with the truth, and
/// then both go on with the true gradient until the momentum of the step has run out. The real map is used, since
/// AdamW's steps are bounded where its tangent is not.
/// </summary>
internal static class RunOut
{
    /// <summary>After so many steps a momentum of 0.9 has handed on 0.9 of what it will.</summary>
    private const int Steps = 20;

    /// <summary>The distance of the two thetas.</summary>
    /// <param name="optimizer">The stage's.</param>
    /// <param name="state">The state before the step; stays the caller's.</param>
    /// <param name="estimate">The gradient [N] used.</param>
    /// <param name="truth">The gradient [N] it stands in for.</param>
    /// <param name="learningRate">Of the step, and held.</param>
    public static double Distance(OptimizerMap optimizer, OptimizerState state, Tensor estimate, Tensor truth, double learningRate)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (wrong, right) = (optimizer.Advance(state, estimate, learningRate), optimizer.Advance(state, truth, learningRate));
        for (var step = 1; step < Steps; step++)
        {
            Replace(ref wrong);
            Replace(ref right);
        }

        using (wrong)
        using (right) return (wrong.Theta - right.Theta).norm().item();

        void Replace(ref OptimizerState at)
        {
            var next = optimizer.Advance(at, truth, learningRate);
            at.Dispose();
            at = next;
        }
    }
}
