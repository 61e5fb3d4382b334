using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Probing.Probes;

/// <summary>
/// How much a model's score leans on belonging to a group, the label held fixed:
/// <code>gap = mean over labels y of ( mean score in the subgroup with label y - mean score in the background with label y )</code>
/// where the score is the log-odds of the positive class (of a causal language model, the log-likelihood). 0: no reliance;
/// above 0: members are scored higher than others of the same label. Labels that one side lacks are left out.
/// </summary>
public sealed class ConfounderGap : IMeasure
{
    private readonly IReadOnlyList<(double Weight, int[] Examples)> _cells;
    private readonly string _name;
    private readonly int _examples;

    private ConfounderGap(string name, int examples, IReadOnlyList<(double Weight, int[] Examples)> cells) =>
        (_name, _examples, _cells) = (name, examples, cells);

    /// <inheritdoc/>
    public string Name => $"confounder-gap({_name})";

    /// <summary>The group.</summary>
    public string Confounder => _name;

    /// <inheritdoc/>
    public WeightedReading Weighted
    {
        get
        {
            var weights = new double[_examples];
            foreach (var (weight, examples) in _cells)
            {
                foreach (var i in examples) weights[i] += weight / examples.Length;
            }

            return new WeightedReading(ProbeReading.LogOdds, weights);
        }
    }

    /// <summary>The gap of a group, weighted over the labels that both sides have.</summary>
    /// <param name="probe">The examples.</param>
    /// <param name="confounder">One of its groups.</param>
    /// <exception cref="ProbeException">No such group, or no label that both sides have.</exception>
    public static ConfounderGap Of(Probe probe, string confounder)
    {
        var group = probe.RequireGroup(confounder);
        var pairs = probe.Examples.Select(example => example.Label).Distinct().Order()
            .Select(label => (
                Subgroup: group.Subgroup.Where(i => probe.Examples[i].Label == label).ToArray(),
                Background: group.Background.Where(i => probe.Examples[i].Label == label).ToArray()))
            .Where(pair => pair.Subgroup.Length > 0 && pair.Background.Length > 0)
            .ToArray();
        if (pairs.Length == 0)
            throw ProbeException.EmptyCell(probe.Configuration.Path, confounder, group.Subgroup.Count(), group.Background.Count());
        var weight = 1.0 / pairs.Length;
        return new ConfounderGap(
            confounder, probe.Examples.Count, [.. pairs.SelectMany(pair => new[] { (weight, pair.Subgroup), (-weight, pair.Background) })]);
    }

    /// <inheritdoc/>
    public double Evaluate(ProbeScores scores) => _cells.Sum(cell => cell.Weight * cell.Examples.Average(i => Score(scores.Examples[i])));

    /// <summary>gap(observed) - gap(counterfactual) with its bootstrap interval: positive, the stage raised the reliance.</summary>
    /// <param name="observed">The run's scores.</param>
    /// <param name="counterfactual">Those of the run without something, on the same examples.</param>
    /// <param name="key">Names the random stream.</param>
    public BootstrapResult Effect(ProbeScores observed, ProbeScores counterfactual, string key) =>
        Bootstrap.Contrast(Differences(observed, counterfactual), $"{_name}/{key}");

    /// <inheritdoc/>
    public double[] EffectDraws(ProbeScores observed, ProbeScores counterfactual, string key) =>
        Bootstrap.ContrastDraws(Differences(observed, counterfactual), $"{_name}/{key}");

    private (double Weight, IReadOnlyList<double> Values)[] Differences(ProbeScores observed, ProbeScores counterfactual) =>
        [.. _cells.Select(cell => (
            cell.Weight,
            (IReadOnlyList<double>)[.. cell.Examples.Select(i => Score(observed.Examples[i]) - Score(counterfactual.Examples[i]))]))];

    private static double Score(ExampleScore example) =>
        example.Logits is { } logits ? ProbeEvaluator.PositiveLogOdds(logits) : example.LogLikelihood;
}
