namespace LlmStageAudit.Training.Optimizers;

/// <summary>The change of the state after, of a change of the state before and of the gradient after clipping.</summary>
internal delegate StatePerturbation Push(StatePerturbation before, Tensor gradientChange);

/// <summary>A linear function of the state after, as one of the state before and of the gradient after clipping.</summary>
internal delegate (StatePerturbation Before, Tensor Gradient) Pull(StatePerturbation after);

/// <summary>
/// The Jacobian of one optimizer update s_t = F(s_{t-1}, g_t) at an observed state, clipping included: how a change of the
/// state before, and of the gradient, changes the state after; and its transpose. How the gradient itself depends on theta
/// (the Hessian of the batch loss) is the caller's: forward with dg = H dtheta, backward by adding H q to the theta block.
/// </summary>
public sealed class OptimizerPropagator
{
    private readonly Push _push;
    private readonly Pull _pull;
    private readonly Tensor? _clippedFrom;
    private readonly double _clipScale;
    private readonly double _clipCurve;

    /// <summary>Of the optimizer's own part, and of clipping, which all optimizers share.</summary>
    /// <param name="tangent">The optimizer's.</param>
    /// <param name="gradient">Raw.</param>
    /// <param name="norm">Its length.</param>
    /// <param name="limit">What it was clipped to; null where it was not.</param>
    internal OptimizerPropagator((Push Push, Pull Pull) tangent, Tensor gradient, double norm, double? limit)
    {
        (_push, _pull) = tangent;
        if (limit is not { } length) return;
        var denominator = norm + OptimizerMap.ClipEpsilon;
        _clippedFrom = gradient;
        _clipScale = length / denominator;
        _clipCurve = length / (denominator * denominator * norm);
    }

    /// <summary>The change of the state after, in the current dispose scope.</summary>
    /// <param name="before">The change of the state before.</param>
    /// <param name="gradientChange">dg [N], of the raw gradient.</param>
    public StatePerturbation Forward(StatePerturbation before, Tensor gradientChange)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return Kept(scope, _push(before, Unclip(gradientChange)));
    }

    /// <summary>The transpose, in the current dispose scope.</summary>
    /// <param name="after">A linear function of the state after.</param>
    /// <returns>The same function of the state before, with the gradient held fixed, and of the raw gradient: q [N].</returns>
    public (StatePerturbation Before, Tensor Gradient) Adjoint(StatePerturbation after)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (before, gradient) = _pull(after);
        var raw = Unclip(gradient);
        return (Kept(scope, before), scope.MoveToOuter(ReferenceEquals(raw, gradient) ? raw.clone() : raw));
    }

    private static StatePerturbation Kept(DisposeScope scope, StatePerturbation made) =>
        new(scope.MoveToOuter(made.Theta), [.. made.Buffers.Select(tensor => scope.MoveToOuter(tensor))], made.Steps);

    /// <summary>The derivative of c g / (|g| + e), which is symmetric: c / (|g| + e) v - c g (g . v) / (|g| (|g| + e)^2).</summary>
    private Tensor Unclip(Tensor vector) =>
        _clippedFrom is null ? vector : vector.times(_clipScale).plus(_clippedFrom, -_clipCurve * _clippedFrom.dot(vector).ToNumber());
}
