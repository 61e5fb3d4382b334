namespace LlmStageAudit.Training.Optimizers;

/// <summary>
/// SGD with momentum mu and weight decay w (torch.optim.SGD, no dampening, no Nesterov):
/// <code>
/// v_t = mu v_{t-1} + g_t + w theta_{t-1}
/// theta_t = theta_{t-1} - lr_t v_t
/// </code>
/// </summary>
internal sealed class SgdMap(double momentum, double weightDecay, double? clipNorm) : OptimizerMap(clipNorm)
{
    protected override int BufferCount => 1;

    protected override (Tensor Theta, Tensor[] Buffers) Update(OptimizerState state, Tensor gradient, double learningRate)
    {
        var velocity = state.Buffers[0].times(momentum).plus(gradient.plus(state.Theta, weightDecay));
        return (state.Theta.plus(velocity, -learningRate), [velocity]);
    }

    private protected override OptimizerPropagator Tangent(
        OptimizerState after,
        Tensor clipped,
        double learningRate,
        double epsilonFloor,
        (Tensor Gradient, double Norm, double Limit)? clip) =>
        new SgdPropagator(momentum, weightDecay, learningRate, clip);
}
