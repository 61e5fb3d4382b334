namespace LlmStageAudit.Training.Optimizers;

/// <summary>
/// AdamW (Loshchilov, Hutter 2019; torch.optim.AdamW) with k the step within the job:
/// <code>
/// m_t = b1 m_{t-1} + (1 - b1) g_t
/// u_t = b2 u_{t-1} + (1 - b2) g_t^2
/// theta_t = (1 - lr_t w) theta_{t-1} - lr_t (m_t / (1 - b1^k)) / (sqrt(u_t) / sqrt(1 - b2^k) + eps)
/// </code>
/// Its Jacobian and the transpose of that, with g the gradient after clipping:
/// <code>
/// dm' = b1 dm + (1 - b1) dg                                bm = lm - A lth
/// du' = b2 du + 2 (1 - b2) g dg                            cu = lu + B lth
/// dtheta' = (1 - lr w) dtheta - A dm' + B du' + C dk       q  = (1 - b1) bm + 2 (1 - b2) g cu
/// dk' = dk                                                 lth &lt;- (1 - lr w) lth  (+ H q)
///                                                          lm &lt;- b1 bm ;  lu &lt;- b2 cu ;  lk &lt;- lk + C . lth
/// A = lr / (c1 D),  B = lr m / (c1 2 sqrt(u) sqrt(c2) D^2),  D = sqrt(u / c2) + eps,  c_i = 1 - b_i^k
/// </code>
/// B = 0 where u = 0. A skipped step also leaves the counter k of the bias correction behind: C is what one step of k
/// changes in theta, the difference of the update between k and k - 1 with the moments held; 0 at k = 1, before which
/// nothing can have been skipped.
/// </summary>
internal sealed class AdamWMap(double beta1, double beta2, double epsilon, double weightDecay, double? clipNorm) : OptimizerMap(clipNorm)
{
    public override bool IgnoresGradientScale => true;

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

    private protected override (Push Push, Pull Pull) Tangent(
        OptimizerState after, Tensor gradient, double learningRate, double epsilonFloor)
    {
        var (k, decay) = (after.Steps, 1 - (learningRate * weightDecay));
        var root = after.Buffers[1].sqrt();
        var zeros = root.zeros_like();
        var (ofMean, denominator) = Gain(k);
        var slope = (ofMean * after.Buffers[0] / (root * denominator)).times(0.5 / Math.Sqrt(1 - Math.Pow(beta2, k)));
        var ofSquare = where(after.Buffers[1].gt(zeros), slope, zeros);
        var ofSteps = k == 1 ? zeros : after.Buffers[0] * (Gain(k - 1).OfMean - ofMean);
        return (Push, Pull);

        (Tensor OfMean, Tensor Denominator) Gain(int at)
        {
            var under = root.over(Math.Sqrt(1 - Math.Pow(beta2, at))).plus(Math.Max(epsilon, epsilonFloor));
            return (under.reciprocal().times(learningRate / (1 - Math.Pow(beta1, at))), under);
        }

        StatePerturbation Push(StatePerturbation before, Tensor gradientChange)
        {
            var mean = before.Buffers[0].times(beta1).plus(gradientChange, 1 - beta1);
            var square = before.Buffers[1].times(beta2).plus(gradient * gradientChange, 2 * (1 - beta2));
            var theta = (before.Theta.times(decay) - (ofMean * mean)).plus(ofSquare * square);
            return new StatePerturbation(theta.plus(ofSteps, before.Steps), [mean, square], before.Steps);
        }

        (StatePerturbation Before, Tensor Gradient) Pull(StatePerturbation after)
        {
            var mean = after.Buffers[0] - (ofMean * after.Theta);
            var square = after.Buffers[1].plus(ofSquare * after.Theta);
            var q = mean.times(1 - beta1).plus(gradient * square, 2 * (1 - beta2));
            var steps = after.Steps + ofSteps.dot(after.Theta).ToNumber();
            return (new StatePerturbation(after.Theta.times(decay), [mean.times(beta1), square.times(beta2)], steps), q);
        }
    }
}
