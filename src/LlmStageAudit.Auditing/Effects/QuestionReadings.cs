using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>
/// The effects on single probe examples: from running the probe with both states, or, for first-order methods, from the probe's
/// gradient; how far the two are apart; and what spot checks foretell of their error.
/// </summary>
internal sealed class QuestionReadings
{
    private readonly ProbeScores _observed;
    private readonly double[][]? _linear;
    private readonly int[] _examples;
    private readonly double?[] _predictedErrors;

    public QuestionReadings(TrainedRun run, Probe probe, Estimator estimator, Estimation estimation, ProbeScores observed)
    {
        _observed = observed;
        // A metric that orders examples has no derivative: there the probe is run whatever the method.
        AreLinear = estimator.IsLinear && probe.Performance.Weighted is not null;
        _examples = AreLinear ? [.. Enumerable.Range(0, probe.Examples.Count)] : LinearityGap.Sample(probe.Examples.Count);
        var (changes, errors) = (estimation.Changes, estimation.PredictedErrors);
        Func<int, Tensor, double> predicted = (i, error) => PredictedRelativeError.OfParameters(error, changes[i]);
        if (probe.Performance.Weighted is { } weighted)
        {
            var derivatives = new ProbeGradient(run.Model, probe, weighted)
                .Derivatives(run.FinalState(), [.. changes, .. errors.OfType<Tensor>()], _examples);
            var linear = _linear = derivatives[..changes.Count];
            var found = new Queue<double[]>(derivatives[changes.Count..]);
            predicted = (i, _) => PredictedRelativeError.OfEffects(found.Dequeue(), linear[i]);
        }

        _predictedErrors = [.. errors.Select((error, i) => error is null ? (double?)null : predicted(i, error))];
    }

    /// <summary>Whether effects are the probe's gradient times the change.</summary>
    public bool AreLinear { get; }

    /// <summary>The relative error that spot checks foretell of a question's effects; null where none was made of it.</summary>
    public double? PredictedError(int question) => _predictedErrors[question];

    public (double[] PerExample, double? LinearityGap) Of(int question, ProbeScores counterfactual)
    {
        double[] finite = [.. _observed.Examples.Zip(counterfactual.Examples, (observed, without) => observed.Value - without.Value)];
        if (_linear is null) return (finite, null);
        var gap = LinearityGap.Of([.. _examples.Select(i => finite[i])], _linear[question]);
        return (AreLinear ? _linear[question] : finite, gap);
    }
}
