namespace LlmStageAudit.Training.Optimizers;

/// <summary>
/// The Jacobian of <see cref="SgdMap"/>:
/// <code>
/// dv' = mu dv + dg + w dtheta            q   = lv - lr lth
/// dtheta' = dtheta - lr dv'              lth &lt;- lth + w q  (+ H q)
///                                        lv  &lt;- mu q
/// </code>
/// </summary>
internal sealed class SgdPropagator(
    double momentum,
    double weightDecay,
    double learningRate,
    (Tensor Gradient, double Norm, double Limit)? clip)
    : OptimizerPropagator(clip)
{
    private protected override StatePerturbation Push(StatePerturbation before, Tensor gradientChange)
    {
        var velocity = before.Buffers[0].times(momentum).plus(gradientChange.plus(before.Theta, weightDecay));
        return new StatePerturbation(before.Theta.plus(velocity, -learningRate), [velocity], before.Steps);
    }

    private protected override (StatePerturbation Before, Tensor Gradient) Pull(StatePerturbation after)
    {
        var gradient = after.Buffers[0].plus(after.Theta, -learningRate);
        return (new StatePerturbation(after.Theta.plus(gradient, weightDecay), [gradient.times(momentum)], after.Steps), gradient);
    }
}
