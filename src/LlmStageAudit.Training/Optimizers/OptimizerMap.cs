using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Training.Optimizers;

/// <summary>
/// One optimizer update as a pure map s_t = F(s_{t-1}, g_t, lr_t) on flat vectors, with PyTorch's semantics. The gradient is
/// the raw one: clipping, where there is any, is part of the map. Training, rebuilding states from the log and
/// counterfactual replay all go through here, so they agree bit for bit.
/// </summary>
public abstract class OptimizerMap
{
    /// <summary>What torch.nn.utils.clip_grad_norm_ adds to the length it divides by.</summary>
    internal const double ClipEpsilon = 1e-6;

    private protected OptimizerMap(double? clipNorm) => ClipNorm = clipNorm;

    /// <summary>Gradients longer than this are scaled down to it; null for none.</summary>
    public double? ClipNorm { get; }

    /// <summary>
    /// Whether a job's updates stay what they are where all its gradients are multiplied by one factor: a derivative by that factor is
    /// then 0, whatever leaving all of them out would do.
    /// </summary>
    public abstract bool IgnoresGradientScale { get; }

    /// <summary>Buffers a state has beside theta.</summary>
    protected abstract int BufferCount { get; }

    /// <summary>The map of an optimizer with its settings.</summary>
    public static OptimizerMap Of(OptimizerSection section) => section.Name switch
    {
        OptimizerName.Sgd => new SgdMap(section.Momentum, section.WeightDecay, section.ClipNorm),
        OptimizerName.AdamW => new AdamWMap(section.Beta1, section.Beta2, section.Epsilon, section.WeightDecay, section.ClipNorm),
        var other => throw new ArgumentOutOfRangeException(nameof(section), other, "no such optimizer"),
    };

    /// <summary>The state at the beginning of a job: zero buffers, no steps.</summary>
    /// <param name="theta">Copied.</param>
    public OptimizerState Start(Tensor theta)
    {
        using var scope = NewDisposeScope();
        return new OptimizerState(
            scope.Detach(theta.clone()),
            [.. Enumerable.Range(0, BufferCount).Select(_ => scope.Detach(theta.zeros_like()))],
            steps: 0);
    }

    /// <summary>A direction, or a linear function, of theta alone: zero in the buffers. In the current dispose scope.</summary>
    /// <param name="theta">Its theta block [N]; copied.</param>
    public StatePerturbation Perturbation(Tensor theta) =>
        new(theta.clone(), [.. Enumerable.Range(0, BufferCount).Select(_ => theta.zeros_like())], 0);

    /// <summary>The state after one more update; the given one stays valid and the caller's.</summary>
    /// <param name="state">s_{t-1}.</param>
    /// <param name="gradient">g_t [N], raw.</param>
    /// <param name="learningRate">lr_t.</param>
    public OptimizerState Advance(OptimizerState state, Tensor gradient, double learningRate)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (theta, buffers) = Update(state, Clip(gradient).Clipped, learningRate);
        return new OptimizerState(scope.Detach(theta), [.. buffers.Select(scope.Detach)], state.Steps + 1);
    }

    /// <summary>The Jacobian of the update that leads from a state to the next. Its tensors live in the current dispose scope.</summary>
    /// <param name="after">What <see cref="Advance"/> makes of the gradient.</param>
    /// <param name="gradient">g_t [N], raw; must outlive the result.</param>
    /// <param name="learningRate">lr_t.</param>
    /// <param name="epsilonFloor">
    /// The least eps the Jacobian is taken with: where gradients are tiny AdamW is a sign function, of which a tangent says little.
    /// 0 for the Jacobian of the map as it is; of no matter to SGD.
    /// </param>
    public OptimizerPropagator Linearize(OptimizerState after, Tensor gradient, double learningRate, double epsilonFloor = 0)
    {
        using var off = no_grad();
        var (clipped, norm, limit) = Clip(gradient);
        return new OptimizerPropagator(Tangent(after, clipped, learningRate, epsilonFloor), gradient, norm, limit);
    }

    /// <summary>Theta and buffers after the update, in the current dispose scope.</summary>
    /// <param name="state">s_{t-1}.</param>
    /// <param name="gradient">g_t [N] after clipping.</param>
    /// <param name="learningRate">lr_t.</param>
    protected abstract (Tensor Theta, Tensor[] Buffers) Update(OptimizerState state, Tensor gradient, double learningRate);

    /// <summary>The Jacobian of <see cref="Update"/> and its transpose, by the gradient after clipping.</summary>
    private protected abstract (Push Push, Pull Pull) Tangent(
        OptimizerState after, Tensor gradient, double learningRate, double epsilonFloor);

    /// <summary>
    /// min(1, c / (|g| + e)) g, as torch.nn.utils.clip_grad_norm_ over all parameters together; with |g|, and c where that is what it is
    /// scaled down to.
    /// </summary>
    private (Tensor Clipped, double Norm, double? Limit) Clip(Tensor gradient)
    {
        if (ClipNorm is not { } limit) return (gradient, 0, null);
        var norm = gradient.norm().ToNumber();
        var coefficient = limit / (norm + ClipEpsilon);
        return coefficient < 1 ? (gradient.times(coefficient), norm, limit) : (gradient, norm, null);
    }
}
