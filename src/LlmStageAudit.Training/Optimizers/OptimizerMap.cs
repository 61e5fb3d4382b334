using LlmStageAudit.Artifacts.Configuration;

namespace LlmStageAudit.Training.Optimizers;

/// <summary>
/// One optimizer update as a pure map s_t = F(s_{t-1}, g_t, lr_t) on flat vectors, with PyTorch's semantics. The gradient is
/// the raw one: clipping, where there is any, is part of the map. Training, rebuilding states from the log and
/// counterfactual replay all go through here, so they agree bit for bit.
/// </summary>
public abstract class OptimizerMap
{
    private protected OptimizerMap(double? clipNorm) => ClipNorm = clipNorm;

    /// <summary>Gradients longer than this are scaled down to it; null for none.</summary>
    public double? ClipNorm { get; }

    /// <summary>Buffers a state has beside theta.</summary>
    protected abstract int BufferCount { get; }

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

    /// <summary>The state after one more update; the given one stays valid and the caller's.</summary>
    /// <param name="state">s_{t-1}.</param>
    /// <param name="gradient">g_t [N], raw.</param>
    /// <param name="learningRate">lr_t.</param>
    public OptimizerState Advance(OptimizerState state, Tensor gradient, double learningRate)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (theta, buffers) = Update(state, Clip(gradient), learningRate);
        return new OptimizerState(scope.Detach(theta), [.. buffers.Select(scope.Detach)], state.Steps + 1);
    }

    protected abstract (Tensor Theta, Tensor[] Buffers) Update(OptimizerState state, Tensor gradient, double learningRate);

    /// <summary>min(1, c / (|g| + 1e-6)) g, as torch.nn.utils.clip_grad_norm_ over all parameters together.</summary>
    private Tensor Clip(Tensor gradient)
    {
        if (ClipNorm is not { } limit) return gradient;
        var coefficient = limit / (gradient.norm().item() + 1e-6);
        return coefficient < 1 ? gradient * coefficient : gradient;
    }
}
