using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;

namespace LlmStageAudit.Probing.Probes;

/// <summary>
/// How much a model's score leans on belonging to a group, the label held fixed:
/// <code>gap = mean over labels y of ( mean score in the subgroup with label y - mean score in the background with label y )</code>
/// where the score is the log-odds of the positive class (of a causal language model, the log-likelihood). 0: no reliance;
/// above 0: members are scored higher than others of the same label. Labels that one side lacks are left out.
/// </summary>
public sealed class ConfounderGap : IMeasure
{
    private readonly IReadOnlyList<(int[] Group, int[] Others)> _strata;
    private readonly string _name;
    private readonly int _examples;

    private ConfounderGap(string name, int examples, IReadOnlyList<GapCell> cells, IReadOnlyList<(int[] Group, int[] Others)> strata) =>
        (_name, _examples, Cells, _strata) = (name, examples, cells, strata);

    /// <inheritdoc/>
    public string Name => $"confounder-gap({_name})";

    /// <summary>The group.</summary>
    public string Confounder => _name;

    /// <summary>How many examples stand behind the gap, label by label, those left out included.</summary>
    public IReadOnlyList<GapCell> Cells { get; }

    /// <summary>Of each label that counts.</summary>
    private double Weight => 1.0 / _strata.Count;

    /// <inheritdoc/>
    public WeightedReading Weighted
    {
        get
        {
            var weights = new double[_examples];
            foreach (var (group, rest) in _strata)
            {
                foreach (var i in group) weights[i] = Weight / group.Length;
                foreach (var i in rest) weights[i] = -Weight / rest.Length;
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
        var labels = probe.Examples.Select(example => example.Label).Distinct().Order().Select(label => (
            Label: label,
            Group: group.Subgroup.Where(i => probe.Examples[i].Label == label).ToArray(),
            Others: group.Background.Where(i => probe.Examples[i].Label == label).ToArray())).ToArray();
        GapCell[] cells =
            [.. labels.Select(label => new GapCell { Label = label.Label, Members = label.Group.Length, Others = label.Others.Length })];
        var strata = labels.Where((_, i) => cells[i].Counts).Select(label => (label.Group, label.Others)).ToArray();
        if (strata.Length == 0)
            throw ProbeException.EmptyCell(probe.Configuration.Path, confounder, group.Subgroup.Count(), group.Background.Count());
        return new ConfounderGap(confounder, probe.Examples.Count, cells, strata);
    }

    /// <inheritdoc/>
    public double Evaluate(ProbeScores scores) => _strata.Sum(stratum =>
        Weight * (stratum.Group.Average(i => Score(scores.Examples[i])) - stratum.Others.Average(i => Score(scores.Examples[i]))));

    /// <summary>gap(observed) - gap(counterfactual) with its interval over probe examples: positive, the stage raised the reliance.</summary>
    /// <param name="observed">The run's scores.</param>
    /// <param name="counterfactual">Those of the run without something, on the same examples.</param>
    /// <param name="key">Names the random stream.</param>
    public BootstrapResult Effect(ProbeScores observed, ProbeScores counterfactual, string key) =>
        Bootstrap.Contrast(Differences(observed, counterfactual), $"{_name}/{key}");

    /// <summary>Whether that effect could be had with any examples of the same labels as members: group membership exchanged.</summary>
    /// <param name="runs">
    /// The scores of a run, and of the run without something, on the same examples; of several, the mean of each example's effect.
    /// </param>
    /// <param name="key">Names the random stream.</param>
    public PermutationResult Test(IReadOnlyList<(ProbeScores Observed, ProbeScores Counterfactual)> runs, string key)
    {
        var cells = runs.Select(run => Differences(run.Observed, run.Counterfactual)).ToArray();
        return Permutation.TwoGroups([.. _strata.Select((_, stratum) => (Weight, Mean(2 * stratum), Mean((2 * stratum) + 1)))], $"{_name}/{key}");

        IReadOnlyList<double> Mean(int cell) =>
            [.. Enumerable.Range(0, cells[0][cell].Values.Count).Select(i => cells.Average(run => run[cell].Values[i]))];
    }

    /// <inheritdoc/>
    public double[] EffectDraws(ProbeScores observed, ProbeScores counterfactual, string key) =>
        Bootstrap.ContrastDraws(Differences(observed, counterfactual), $"{_name}/{key}");

    /// <summary>What each example's score changed by; of each label the group, then the rest.</summary>
    private (double Weight, IReadOnlyList<double> Values)[] Differences(ProbeScores observed, ProbeScores counterfactual)
    {
        return [.. _strata.SelectMany(stratum => new[] { (Weight, Of(stratum.Group)), (-Weight, Of(stratum.Others)) })];

        IReadOnlyList<double> Of(int[] examples) =>
            [.. examples.Select(i => Score(observed.Examples[i]) - Score(counterfactual.Examples[i]))];
    }

    private static double Score(ExampleScore example) =>
        example.Logits is { } logits ? ProbeEvaluator.PositiveLogOdds(logits) : example.LogLikelihood;
}
