using System.Diagnostics;
using System.Globalization;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Comparisons;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Comparison;

/// <summary>
/// Holds estimators against retraining on one run: the counterfactuals are retrained once, by exact replay, which gives the same
/// bits, and every estimator's effects per example are correlated with theirs. Costs leave out running the probe, which is the
/// same for all; so does a training's.
/// </summary>
internal sealed class EstimatorComparison
{
    private readonly ITrajectory _trajectory;
    private readonly IExampleEffects _effects;
    private readonly IReadOnlyList<Counterfactual> _questions;
    private readonly bool _ofSteps;
    private readonly long _seed;
    private readonly double[][] _measured;

    private EstimatorComparison(
        ITrajectory trajectory,
        IExampleEffects effects,
        IReadOnlyList<Counterfactual> questions,
        bool ofSteps,
        long seed,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        (_trajectory, _effects, _questions, _ofSteps, _seed) = (trajectory, effects, questions, ofSteps, seed);
        using var scope = NewDisposeScope();
        (_measured, var cost, var seconds) = Estimated(Estimator.Exact, progress, cancellation);
        Reference = Compared(Estimator.Exact, _measured, cost, seconds);
    }

    /// <summary>Exact replay held against itself: what retraining costs here.</summary>
    public ComparedEstimator Reference { get; }

    /// <summary>Retrains without each stage in turn; estimators are then correlated over examples, stage by stage.</summary>
    /// <exception cref="AuditException">Missing or damaged logs; retraining is not finite.</exception>
    public static EstimatorComparison OfStages(
        ITrajectory trajectory,
        IExampleEffects effects,
        long seed,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        var questions = trajectory.Programs.Select((program, stage) => Counterfactual.WithoutStage(program.Name, stage));
        return new EstimatorComparison(trajectory, effects, [.. questions], ofSteps: false, seed, progress, cancellation);
    }

    /// <summary>
    /// Retrains without each of a random sample of single steps (all where the run has no more) in one walk; estimators are then
    /// correlated over these steps, by the effect on the mean over examples.
    /// </summary>
    /// <exception cref="AuditException">Missing or damaged logs; retraining is not finite.</exception>
    public static EstimatorComparison OfSteps(
        ITrajectory trajectory,
        IExampleEffects effects,
        int sample,
        long seed,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sample, 1);
        var single = trajectory.Programs
            .SelectMany((program, stage) => program.Steps.Select(step => (Stage: stage, step.StageStep))).ToArray();
        var order = Enumerable.Range(0, single.Length).ToArray();
        StableRandom.For(seed, "compared steps").Shuffle<int>(order);
        var questions = order.Take(sample).Order().Select(i => Counterfactual.WithoutSteps(
            string.Create(CultureInfo.InvariantCulture, $"step {i + 1}"), single[i].Stage, [single[i].StageStep]));
        return new EstimatorComparison(trajectory, effects, [.. questions], ofSteps: true, seed, progress, cancellation);
    }

    /// <summary>
    /// Asks an estimator the same questions; of steps, `adjoint` answers all from one backward sweep. One whose arithmetic fails has
    /// its failure in the result and no figures.
    /// </summary>
    /// <exception cref="AttributionException">Bad settings, missing logs, or a sweep over a measure without a derivative.</exception>
    public ComparedEstimator Compare(Estimator estimator, IProgress<(int Step, int Total)>? progress, CancellationToken cancellation)
    {
        if (estimator == Reference.Estimator) return Reference;
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        try
        {
            var (predicted, cost, seconds) = Estimated(estimator, progress, cancellation);
            return Compared(estimator, predicted, cost, seconds);
        }
        catch (AuditException exception) when (exception.Kind == ErrorKind.Failure)
        {
            return Compared(estimator, Agreement.None, double.NaN, watch.Elapsed.TotalSeconds) with { Failure = exception.Message };
        }
    }

    /// <summary>Per question the effects on the examples; of a sweep, which knows no examples, the one on their mean.</summary>
    private (double[][] Effects, double GradientEquivalents, double Seconds) Estimated(
        Estimator estimator, IProgress<(int Step, int Total)>? progress, CancellationToken cancellation)
    {
        if (!_ofSteps) AttributionRequest.RequireLinearReadout(estimator);
        if (_ofSteps && estimator is Estimator.Adjoint { Curvature: Curvature.Full } adjoint) return Swept(adjoint, progress, cancellation);
        var watch = Stopwatch.StartNew();
        var estimation = Estimation.Run(_trajectory, estimator, _seed, _questions, progress, cancellation);
        var seconds = watch.Elapsed.TotalSeconds;
        var effects = (estimator.IsLinear ? _effects.FirstOrder(estimation.Changes) : null) ?? _effects.Finite(estimation.Counterfactuals);
        return (effects, estimation.GradientEquivalents, seconds);
    }

    private (double[][] Effects, double GradientEquivalents, double Seconds) Swept(
        Estimator.Adjoint estimator, IProgress<(int Step, int Total)>? progress, CancellationToken cancellation)
    {
        var readout = SweepReadout.Of(estimator.Readout, _trajectory, _effects.MeanGradient(), _effects.MeanHessianProduct);
        var watch = Stopwatch.StartNew();
        var sweep = new AdjointSweep(_trajectory, estimator, _seed);
        var scores = readout.Read(
            [.. sweep.Run(readout.Vectors, ofExamples: false, ofBlocks: false, progress, cancellation).Select(one => one.Steps)]);
        var seconds = watch.Elapsed.TotalSeconds;
        var asked = _questions.Select(question => scores.Single(score => question.SkipsStep(score.StageIndex, score.StageStep)));
        return ([.. asked.Select(score => new[] { score.Effect })], sweep.GradientEquivalents, seconds);
    }

    private ComparedEstimator Compared(Estimator estimator, double[][] predicted, double cost, double seconds)
    {
        double[] means = [.. predicted.Select(values => values.Average())];
        double[] measuredMeans = [.. _measured.Select(values => values.Average())];
        Agreement[] perQuestion = _ofSteps ? [] : [.. predicted.Zip(_measured, Agreement.Of)];
        return Compared(estimator, _ofSteps ? Agreement.Of(means, measuredMeans) : Agreement.Mean(perQuestion), cost, seconds) with
        {
            Effects =
            [
                .. _questions.Select((question, i) => new ComparedEffect
                {
                    Stage = question.Name,
                    Predicted = means[i],
                    Measured = measuredMeans[i],
                    Pearson = _ofSteps ? null : perQuestion[i].Pearson,
                    Spearman = _ofSteps ? null : perQuestion[i].Spearman,
                    RelativeError = _ofSteps ? null : perQuestion[i].RelativeError,
                }),
            ],
        };
    }

    private ComparedEstimator Compared(Estimator estimator, Agreement agreement, double cost, double seconds) => new()
    {
        Estimator = estimator,
        Pearson = agreement.Pearson,
        Spearman = agreement.Spearman,
        RelativeError = agreement.RelativeError,
        GradientEquivalents = cost,
        Trainings = cost / _trajectory.Programs.Sum(program => program.Steps.Count),
        Seconds = seconds,
    };
}
