namespace LlmStageAudit.Training.Optimizers;

/// <summary>
/// AdamW (Loshchilov, Hutter 2019; torch.optim.AdamW) with k the step within the job:
/// <code>
/// m_t = b1 m_{t-1} + (1 - b1) g_t
/// u_t = b2 u_{t-1} + (1 - b2) g_t^2
/// theta_t = (1 - lr_t w) theta_{t-1} - lr_t (m_t / (1 - b1^k)) / (sqrt(u_t) / sqrt(1 - b2^k) + eps)
/// </code>
/// </summary>
internal sealed class AdamWMap(double beta1, double beta2, double epsilon, double weightDecay, double? clipNorm) : OptimizerMap(clipNorm)
{
    protected override int BufferCount => 2;

    protected override (Tensor Theta, Tensor[] Buffers) Update(OptimizerState state, Tensor gradient, double learningRate)
    {
        var k = state.Steps + 1;
        var mean = state.Buffers[0].times(beta1).plus(gradient, 1 - beta1);
        var square = state.Buffers[1].times(beta2).plus(gradient * gradient, 1 - beta2);
        var denominator = square.sqrt().over(Math.Sqrt(1 - Math.Pow(beta2, k))).plus(epsilon);
        var step = learningRate / (1 - Math.Pow(beta1, k));
        var theta = state.Theta.times(1 - (learningRate * weightDecay)).plus(mean / denominator, -step);
        return (theta, [mean, square]);
    }

    private protected override OptimizerPropagator Tangent(
        OptimizerState after,
        Tensor clipped,
        double learningRate,
        double epsilonFloor,
        (Tensor Gradient, double Norm, double Limit)? clip) =>
        new AdamWPropagator(
            (beta1, beta2, Math.Max(epsilon, epsilonFloor)), weightDecay, learningRate,
            after.Steps, clipped, after.Buffers[0], after.Buffers[1], clip);
}
