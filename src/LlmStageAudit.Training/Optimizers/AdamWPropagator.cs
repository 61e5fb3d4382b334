namespace LlmStageAudit.Training.Optimizers;

/// <summary>
/// The Jacobian of <see cref="AdamWMap"/>, with g the gradient after clipping and k the step within the job:
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
internal sealed class AdamWPropagator : OptimizerPropagator
{
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _decay;
    private readonly Tensor _gradient;
    private readonly Tensor _ofMean;
    private readonly Tensor _ofSquare;
    private readonly Tensor _ofSteps;

    /// <summary>The Jacobian at one update.</summary>
    /// <param name="gradient">g_t [N] after clipping.</param>
    /// <param name="mean">m_t [N].</param>
    /// <param name="square">u_t [N].</param>
    /// <param name="clip">The clipping that took place: the raw gradient, and the limit; null where nothing was clipped.</param>
    /// <param name="settings">b1, b2 and eps.</param>
    /// <param name="weightDecay">w.</param>
    /// <param name="learningRate">lr.</param>
    /// <param name="k">The step within the job.</param>
    public AdamWPropagator(
        (double Beta1, double Beta2, double Epsilon) settings,
        double weightDecay,
        double learningRate,
        int k,
        Tensor gradient,
        Tensor mean,
        Tensor square,
        (Tensor Gradient, double Norm, double Limit)? clip)
        : base(clip)
    {
        (_beta1, _beta2, var epsilon) = settings;
        _decay = 1 - (learningRate * weightDecay);
        _gradient = gradient;
        var root = square.sqrt();
        var (ofMean, denominator) = Gain(k);
        _ofMean = ofMean;
        var slope = (ofMean * mean / (root * denominator)).times(0.5 / Math.Sqrt(1 - Math.Pow(_beta2, k)));
        var zeros = square.zeros_like();
        _ofSquare = where(square.gt(zeros), slope, zeros);
        _ofSteps = k == 1 ? zeros : mean * (Gain(k - 1).OfMean - ofMean);

        (Tensor OfMean, Tensor Denominator) Gain(int at)
        {
            var under = root.over(Math.Sqrt(1 - Math.Pow(_beta2, at))).plus(epsilon);
            return (under.reciprocal().times(learningRate / (1 - Math.Pow(_beta1, at))), under);
        }
    }

    private protected override StatePerturbation Push(StatePerturbation before, Tensor gradientChange)
    {
        var mean = before.Buffers[0].times(_beta1).plus(gradientChange, 1 - _beta1);
        var square = before.Buffers[1].times(_beta2).plus(_gradient * gradientChange, 2 * (1 - _beta2));
        var theta = (before.Theta.times(_decay) - (_ofMean * mean)).plus(_ofSquare * square);
        return new StatePerturbation(theta.plus(_ofSteps, before.Steps), [mean, square], before.Steps);
    }

    private protected override (StatePerturbation Before, Tensor Gradient) Pull(StatePerturbation after)
    {
        var mean = after.Buffers[0] - (_ofMean * after.Theta);
        var square = after.Buffers[1].plus(_ofSquare * after.Theta);
        var gradient = mean.times(1 - _beta1).plus(_gradient * square, 2 * (1 - _beta2));
        var steps = after.Steps + _ofSteps.dot(after.Theta).ToNumber();
        return (new StatePerturbation(after.Theta.times(_decay), [mean.times(_beta1), square.times(_beta2)], steps), gradient);
    }
}
