using System.Diagnostics;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>
/// How effects are read off the changes d = theta_T - theta'_T that a sweep stands for, gamma being the probe's mean, g its gradient
/// and H its Hessian at theta_T:
/// <code>
/// linear       g . d
/// quadratic    g . d - d' H d / 2,    H taken as p p' / (u . p),  p = H u,  u = theta_T - theta_0
/// </code>
/// The rank-one H (Nystroem's, from the one direction in which all steps together moved) is exact along u. It pays where the probe
/// mixes classes: their effects on the mean cancel to first order and its bend does not. It takes one product with the
/// probe's Hessian and a second adjoint in the same sweep; d itself is never formed.
/// </summary>
public sealed class SweepReadout
{
    /// <summary>Below this cosine between u and p the probe is flat along u, and what p says of other directions is not H.</summary>
    private const double FlatCosine = 0.01;

    private readonly double _bend;

    private SweepReadout(IReadOnlyList<Tensor> vectors, double bend) => (Vectors, _bend) = (vectors, bend);

    /// <summary>What to sweep with: g, and p where the readout is quadratic; [N] each.</summary>
    public IReadOnlyList<Tensor> Vectors { get; }

    /// <summary>How a sweep by an estimator's settings reads effects off a probe.</summary>
    /// <param name="readout">Which.</param>
    /// <param name="trajectory">The run.</param>
    /// <param name="gradient">The probe's at theta_T, [N].</param>
    /// <param name="hessianProduct">The probe's Hessian at theta_T times a vector [N]; called where the readout needs it.</param>
    public static SweepReadout Of(Readout readout, ITrajectory trajectory, Tensor gradient, Func<Tensor, Tensor> hessianProduct) =>
        readout switch
        {
            Readout.Linear => new([gradient], 0),
            Readout.Quadratic => Quadratic(
                gradient, trajectory.StateBefore(trajectory.Programs.Count) - trajectory.StateBefore(0), hessianProduct),
            _ => throw new UnreachableException(),
        };

    /// <summary>By g, u and products with H; the linear readout where the probe is flat along u.</summary>
    internal static SweepReadout Quadratic(Tensor gradient, Tensor displacement, Func<Tensor, Tensor> hessianProduct)
    {
        var product = hessianProduct(displacement);
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var along = displacement.dot(product).ToNumber();
        var lengths = displacement.norm().ToNumber() * product.norm().ToNumber();
        return Math.Abs(along) > FlatCosine * lengths ? new([gradient, product], 1 / along) : new([gradient], 0);
    }

    /// <summary>The effects of steps and batches.</summary>
    /// <param name="swept">The scores by each of <see cref="Vectors"/>.</param>
    public IReadOnlyList<StepScore> Read(IReadOnlyList<IReadOnlyList<StepScore>> swept) => swept.Count == 1
        ? swept[0]
        : [.. swept[0].Zip(swept[1], (first, bend) => first with
        {
            Effect = first.Effect - (0.5 * _bend * bend.Effect * bend.Effect),
            BatchEffect = first.BatchEffect - (0.5 * _bend * bend.BatchEffect * bend.BatchEffect),
        })];
}
