namespace LlmStageAudit.Training.Optimizers;

/// <summary>
/// SGD with momentum mu and weight decay w (torch.optim.SGD, no dampening, no Nesterov):
/// <code>
/// v_t = mu v_{t-1} + g_t + w theta_{t-1}
/// theta_t = theta_{t-1} - lr_t v_t
/// </code>
/// Its Jacobian and the transpose of that:
/// <code>
/// dv' = mu dv + dg + w dtheta            q   = lv - lr lth
/// dtheta' = dtheta - lr dv'              lth &lt;- lth + w q  (+ H q)
///                                        lv  &lt;- mu q
/// </code>
/// </summary>
internal sealed class SgdMap(double momentum, double weightDecay, double? clipNorm) : OptimizerMap(clipNorm)
{
    public override bool IgnoresGradientScale => false;

    protected override int BufferCount => 1;

    protected override (Tensor Theta, Tensor[] Buffers) Update(OptimizerState state, Tensor gradient, double learningRate)
    {
        var velocity = state.Buffers[0].times(momentum).plus(gradient.plus(state.Theta, weightDecay));
        return (state.Theta.plus(velocity, -learningRate), [velocity]);
    }

    private protected override (Push Push, Pull Pull) Tangent(
        OptimizerState after, Tensor gradient, double learningRate, double epsilonFloor)
    {
        return (Push, Pull);

        StatePerturbation Push(StatePerturbation before, Tensor gradientChange)
        {
            var velocity = before.Buffers[0].times(momentum).plus(gradientChange.plus(before.Theta, weightDecay));
            return new StatePerturbation(before.Theta.plus(velocity, -learningRate), [velocity], before.Steps);
        }

        (StatePerturbation Before, Tensor Gradient) Pull(StatePerturbation after)
        {
            var q = after.Buffers[0].plus(after.Theta, -learningRate);
            return (new StatePerturbation(after.Theta.plus(q, weightDecay), [q.times(momentum)], after.Steps), q);
        }
    }
}
