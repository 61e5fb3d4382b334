using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Baselines;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Estimators;

/// <summary>What an estimator says the run would have become. Tensors live in the scope it was made in.</summary>
/// <param name="Counterfactuals">theta'_T of each question, [N].</param>
/// <param name="Changes">d_T = theta_T - theta'_T of each question, [N].</param>
/// <param name="GradientEquivalents">The cost in gradients of one batch.</param>
public sealed record Estimation(IReadOnlyList<Tensor> Counterfactuals, IReadOnlyList<Tensor> Changes, double GradientEquivalents)
{
    /// <summary>Asks an estimator about a run of any differentiable model.</summary>
    /// <param name="trajectory">The observed run.</param>
    /// <param name="estimator">Which, with its settings.</param>
    /// <param name="seed">Of the random shares of batches.</param>
    /// <param name="questions">What is left out.</param>
    /// <param name="progress">Gets steps walked and steps in all.</param>
    /// <exception cref="AttributionException">Bad settings, missing or damaged logs, numbers that are not finite.</exception>
    public static Estimation Run(
        ITrajectory trajectory,
        Estimator estimator,
        long seed,
        IReadOnlyList<Counterfactual> questions,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        estimator.Validated();
        if (estimator.Method == Estimator.Replay)
        {
            var source = GradientSource.Named(estimator.Gradient, estimator.Rho ?? 0.25, seed);
            var thetas = new CounterfactualReplay(trajectory, source).Run(questions, progress, cancellation);
            var final = trajectory.StateBefore(trajectory.Programs.Count);
            using var off = no_grad();
            return new Estimation(thetas, [.. thetas.Select(theta => final - theta)], source.GradientEquivalents);
        }

        var curvature = CurvatureOf(estimator, seed);
        var changes = estimator.Method switch
        {
            Estimator.Adjoint => Propagated(LeftOutSteps.Together),
            Estimator.AaScore => Propagated(LeftOutSteps.EachAlone),
            _ => new PlainSgdPropagation(trajectory, curvature).Run(questions, progress, cancellation),
        };
        return new Estimation(Without(changes), changes, curvature?.GradientEquivalents ?? 0);

        Tensor[] Propagated(LeftOutSteps leftOut) =>
            new ForwardPropagation(trajectory, curvature!, estimator.EpsilonFloor).Run(questions, leftOut, progress, cancellation);

        Tensor[] Without(Tensor[] changes)
        {
            using var off = no_grad();
            var final = trajectory.StateBefore(trajectory.Programs.Count);
            return [.. changes.Select(change => final - change)];
        }
    }

    private static Curvature? CurvatureOf(Estimator estimator, long seed) => estimator switch
    {
        { Method: Estimator.TracIn } => null,
        { Method: Estimator.DvEmb } => Curvature.OuterProduct(),
        { Curvature: "layer-wise" } => Curvature.Layerwise(),
        _ => Curvature.Full(estimator.Rho ?? 1, seed),
    };
}
