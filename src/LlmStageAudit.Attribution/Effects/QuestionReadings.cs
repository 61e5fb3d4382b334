using LlmStageAudit.Artifacts.Effects;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Auditing.Probes;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Effects;

/// <summary>
/// The effects on single probe examples: from running the probe with both states, or, for first-order methods, from the probe's
/// gradient; and how far the two are apart.
/// </summary>
internal sealed class QuestionReadings
{
    private readonly ProbeScores _observed;
    private readonly double[][]? _linear;
    private readonly int[] _examples;

    public QuestionReadings(TrainedRun run, Probe probe, Estimator estimator, Estimation estimation, ProbeScores observed)
    {
        _observed = observed;
        // A metric that orders examples has no derivative: there the probe is run whatever the method.
        AreLinear = estimator.IsLinear && probe.Performance.Weighted is not null;
        _examples = AreLinear ? [.. Enumerable.Range(0, probe.Examples.Count)] : LinearityGap.Sample(probe.Examples.Count);
        if (probe.Performance.Weighted is { } weighted)
            _linear = new ProbeGradient(run.Model, probe, weighted).Derivatives(run.FinalState(), estimation.Changes, _examples);
    }

    /// <summary>Whether effects are the probe's gradient times the change.</summary>
    public bool AreLinear { get; }

    public (double[] PerExample, double? LinearityGap) Of(int question, ProbeScores counterfactual)
    {
        double[] finite = [.. _observed.Examples.Zip(counterfactual.Examples, (observed, without) => observed.Value - without.Value)];
        if (_linear is null) return (finite, null);
        var gap = LinearityGap.Of([.. _examples.Select(i => finite[i])], _linear[question]);
        return (AreLinear ? _linear[question] : finite, gap);
    }
}
