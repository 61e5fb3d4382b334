using System.Diagnostics;
using LlmStageAudit.Probing.Metrics;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Probing.Probes;

/// <summary>
/// gamma: the one number a probe gives a model. The mean over examples of a log-likelihood or a margin; or a group metric, of
/// one group or the least over all groups. An effect is gamma(observed) - gamma(counterfactual): positive, the stage raised gamma.
/// </summary>
public sealed class PerformanceFunction : IMeasure
{
    private readonly Probe _probe;
    private readonly Metric _metric;

    internal PerformanceFunction(Probe probe) => (_probe, _metric) = (probe, probe.Configuration.Metric);

    /// <summary>As results name it: log-likelihood, log-likelihood(christian), subgroup-auc.</summary>
    public string Name => $"{_metric}";

    /// <summary>The mean over examples; null for a group metric, which orders examples and has no derivative.</summary>
    public WeightedReading? Weighted => _metric.IsOfGroups
        ? null
        : new WeightedReading(ProbeReading.Performance, [.. Enumerable.Repeat(1.0 / _probe.Examples.Count, _probe.Examples.Count)]);

    /// <summary>gamma by the scores of all examples, in probe order; NaN where a group lacks a class.</summary>
    public double Evaluate(IReadOnlyList<ExampleScore> scores) =>
        _metric.IsOfGroups ? OfGroups(scores, [.. Enumerable.Range(0, scores.Count)]) : scores.Average(score => score.Value);

    /// <summary>The effect with its bootstrap interval over probe examples.</summary>
    /// <param name="observed">The run's scores.</param>
    /// <param name="counterfactual">Those of the run without something, on the same examples.</param>
    /// <param name="key">Names the random stream.</param>
    public BootstrapResult Effect(IReadOnlyList<ExampleScore> observed, IReadOnlyList<ExampleScore> counterfactual, string key) =>
        _metric.IsOfGroups
            ? Bootstrap.Statistic(observed.Count, indices => OfGroups(observed, indices) - OfGroups(counterfactual, indices), key)
            : Bootstrap.Mean([.. observed.Zip(counterfactual, (o, c) => o.Value - c.Value)], key);

    double IMeasure.Evaluate(ProbeScores scores) => Evaluate(scores.Examples);

    BootstrapResult IMeasure.Effect(ProbeScores observed, ProbeScores counterfactual, string key) =>
        Effect(observed.Examples, counterfactual.Examples, key);

    /// <inheritdoc/>
    public double[] EffectDraws(ProbeScores observed, ProbeScores counterfactual, string key) => _metric.IsOfGroups
        ? Bootstrap.StatisticDraws(
            observed.Examples.Count, indices => OfGroups(observed.Examples, indices) - OfGroups(counterfactual.Examples, indices), key)
        : Bootstrap.ContrastDraws([(1, [.. observed.Examples.Zip(counterfactual.Examples, (o, c) => o.Value - c.Value)])], key);

    private double OfGroups(IReadOnlyList<ExampleScore> scores, int[] indices)
    {
        var groups = _probe.Groups.Where(group => _metric.Column is null || group.Name == _metric.Column);
        if (_metric is Metric.WorstGroupAccuracy)
            return BinaryMetrics.WorstGroupAccuracy(groups.Select(group => Select(scores, indices, group, true)));
        var values = groups.Select(group => OfGroup(Select(scores, indices, group, true), Select(scores, indices, group, false)));
        return values.Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Min();
    }

    private double OfGroup(IReadOnlyList<ScoredExample> subgroup, IReadOnlyList<ScoredExample> background) =>
        BinaryMetrics.OfGroup(subgroup, background)[_metric switch
        {
            Metric.SubgroupAuc => MetricNames.SubgroupAuc,
            Metric.BpsnAuc => MetricNames.BpsnAuc,
            Metric.BnspAuc => MetricNames.BnspAuc,
            _ => throw new UnreachableException(),
        }];

    private static IReadOnlyList<ScoredExample> Select(IReadOnlyList<ExampleScore> scores, int[] indices, ProbeGroup group, bool member) =>
        [.. indices.Where(i => group.Members[i] == member)
            .Select(i => new ScoredExample(ProbeEvaluator.PositiveLogOdds(scores[i].Logits!), scores[i].Label == 1))];
}
