namespace LlmStageAudit.Training.Optimizers;

/// <summary>
/// The Jacobian of one optimizer update s_t = F(s_{t-1}, g_t) at an observed state, clipping included: how a change of the
/// state before, and of the gradient, changes the state after; and its transpose. How the gradient itself depends on theta
/// (the Hessian of the batch loss) is the caller's: forward with dg = H dtheta, backward by adding H q to the theta block.
/// </summary>
public abstract class OptimizerPropagator
{
    private readonly Tensor? _clippedFrom;
    private readonly double _clipScale;
    private readonly double _clipCurve;

    /// <summary>The part that all optimizers share: clipping.</summary>
    /// <param name="clip">The clipping that took place: the raw gradient, and the limit; null where nothing was clipped.</param>
    private protected OptimizerPropagator((Tensor Gradient, double Norm, double Limit)? clip)
    {
        if (clip is not { } clipped) return;
        var denominator = clipped.Norm + OptimizerMap.ClipEpsilon;
        _clippedFrom = clipped.Gradient;
        _clipScale = clipped.Limit / denominator;
        _clipCurve = clipped.Limit / (denominator * denominator * clipped.Norm);
    }

    /// <summary>The change of the state after, in the current dispose scope.</summary>
    /// <param name="before">The change of the state before.</param>
    /// <param name="gradientChange">dg [N], of the raw gradient.</param>
    public StatePerturbation Forward(StatePerturbation before, Tensor gradientChange)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return Kept(scope, Push(before, Unclip(gradientChange)));
    }

    /// <summary>The transpose, in the current dispose scope.</summary>
    /// <param name="after">A linear function of the state after.</param>
    /// <returns>The same function of the state before, with the gradient held fixed, and of the raw gradient: q [N].</returns>
    public (StatePerturbation Before, Tensor Gradient) Adjoint(StatePerturbation after)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (before, gradient) = Pull(after);
        var raw = Unclip(gradient);
        return (Kept(scope, before), scope.MoveToOuter(ReferenceEquals(raw, gradient) ? raw.clone() : raw));
    }

    private protected abstract StatePerturbation Push(StatePerturbation before, Tensor gradientChange);

    private protected abstract (StatePerturbation Before, Tensor Gradient) Pull(StatePerturbation after);

    private static StatePerturbation Kept(DisposeScope scope, StatePerturbation made) =>
        new(scope.MoveToOuter(made.Theta), [.. made.Buffers.Select(tensor => scope.MoveToOuter(tensor))], made.Steps);

    /// <summary>The derivative of c g / (|g| + e), which is symmetric: c / (|g| + e) v - c g (g . v) / (|g| (|g| + e)^2).</summary>
    private Tensor Unclip(Tensor vector) =>
        _clippedFrom is null ? vector : vector.times(_clipScale).plus(_clippedFrom, -_clipCurve * _clippedFrom.dot(vector).ToNumber());
}
