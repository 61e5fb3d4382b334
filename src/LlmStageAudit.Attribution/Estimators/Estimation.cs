using System.Diagnostics;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Baselines;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Estimators;

/// <summary>What an estimator says the run would have become. Tensors live in the scope it was made in.</summary>
/// <param name="Counterfactuals">theta'_T of each question, [N].</param>
/// <param name="Changes">d_T = theta_T - theta'_T of each question, [N].</param>
/// <param name="GradientEquivalents">The cost in gradients of one batch, spot checks included.</param>
public sealed record Estimation(IReadOnlyList<Tensor> Counterfactuals, IReadOnlyList<Tensor> Changes, double GradientEquivalents)
{
    private Estimator Estimator { get; init; } = Estimator.Exact;

    /// <summary>What spot checks found on the way; null where none were made.</summary>
    internal SpotCheck? Checks { get; private init; }

    /// <summary>The errors of theta'_T that spot checks foretell, [N]; null per question where none was made of it.</summary>
    public IReadOnlyList<Tensor?> PredictedErrors { get; private init; } = [];

    /// <summary>Asks an estimator about a run of any differentiable model.</summary>
    /// <param name="trajectory">The observed run.</param>
    /// <param name="estimator">Which, with its settings.</param>
    /// <param name="seed">Of the random shares of batches.</param>
    /// <param name="questions">What is left out.</param>
    /// <param name="progress">Gets steps walked and steps in all.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <param name="spotChecks">Whether to compare the estimated gradients with true ones at a few steps of each stage.</param>
    /// <param name="journal">Keeps how far the walk came; null for nobody. The baselines begin anew.</param>
    /// <exception cref="AttributionException">Bad settings, missing or damaged logs, numbers that are not finite.</exception>
    public static Estimation Run(
        ITrajectory trajectory,
        Estimator estimator,
        long seed,
        IReadOnlyList<Counterfactual> questions,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation,
        bool spotChecks = false,
        WalkJournal? journal = null)
    {
        return estimator switch
        {
            Estimator.Replay replay => Replayed(replay.Source),
            Estimator.Adjoint adjoint => Propagated(Of(adjoint.Curvature), adjoint.EpsilonFloor, eachAlone: false),
            Estimator.AaScore score => Propagated(Of(score.Curvature), score.EpsilonFloor, eachAlone: true),
            Estimator.DvEmb => Plain(CurvatureProduct.OuterProduct()),
            Estimator.TracIn => Plain(null),
            _ => throw new UnreachableException(),
        };

        Estimation Replayed(GradientSource source)
        {
            var gradients = CounterfactualGradients.From(source, seed);
            using var check = spotChecks && !estimator.IsExact ? Check(source is GradientSource.Sampled) : null;
            var thetas = new CounterfactualReplay(trajectory, gradients) { SpotCheck = check, Journal = journal ?? WalkJournal.None }
                .Run(questions, progress, cancellation);
            var final = trajectory.StateBefore(trajectory.Programs.Count);
            using var off = no_grad();
            return Checked(thetas, [.. thetas.Select(theta => final - theta)], gradients.GradientEquivalents, check);
        }

        Estimation Propagated(CurvatureProduct curvature, double epsilonFloor, bool eachAlone)
        {
            using var check = spotChecks && !estimator.IsBaseline ? Check(independent: false) : null;
            var changes = new ForwardPropagation(trajectory, curvature, epsilonFloor)
            {
                SpotCheck = check,
                Journal = journal ?? WalkJournal.None,
            }.Run(questions, eachAlone, progress, cancellation);
            return Checked(Without(changes), changes, curvature.GradientEquivalents, check);
        }

        Estimation Plain(CurvatureProduct? curvature)
        {
            var changes = new PlainSgdPropagation(trajectory, curvature).Run(questions, progress, cancellation);
            return Checked(Without(changes), changes, curvature?.GradientEquivalents ?? 0, null);
        }

        CurvatureProduct Of(Curvature curvature) =>
            curvature is Curvature.Full { Rho: var rho } ? CurvatureProduct.Full(rho, seed) : CurvatureProduct.Layerwise();

        SpotCheck Check(bool independent) => new(new CheckPlan(questions, trajectory.Programs), questions.Count, independent);

        Tensor[] Without(Tensor[] changes)
        {
            using var off = no_grad();
            var final = trajectory.StateBefore(trajectory.Programs.Count);
            return [.. changes.Select(change => final - change)];
        }

        Estimation Checked(Tensor[] thetas, Tensor[] changes, double cost, SpotCheck? checks) =>
            new(thetas, changes, cost + (checks?.GradientEquivalents ?? 0))
            {
                Estimator = estimator,
                Checks = checks,
                PredictedErrors = [.. changes.Select((_, i) => checks?.Of(i).Error?.clone())],
            };
    }

    /// <summary>The grade of a question's effect and what it rests on.</summary>
    /// <param name="question">Its place among those asked.</param>
    /// <param name="predictedError">The relative error of the effect that spot checks foretell; null where none was made.</param>
    /// <param name="linearityGap">Null where unknown.</param>
    public (TrustGrade Grade, TrustEvidence Evidence) Trust(int question, double? predictedError, double? linearityGap) =>
        TrustAssessment.Of(Estimator, Checks?.Of(question), predictedError, linearityGap);
}
