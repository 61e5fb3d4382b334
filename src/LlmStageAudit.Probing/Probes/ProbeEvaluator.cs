using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Probing.Metrics;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Probing.Probes;

/// <summary>
/// Runs a probe on a trainable state: per example log-likelihood, logits and performance value; metrics over all and per group.
/// The same state always gives the same bits.
/// </summary>
public sealed class ProbeEvaluator(LanguageModel model, Probe probe)
{
    private const int BatchSize = 32;

    /// <summary>The examples of each forward pass: rows of similar length.</summary>
    public IEnumerable<int[]> Batches =>
        Enumerable.Range(0, probe.Examples.Count).OrderBy(i => probe.Examples[i].Ids.Length).Chunk(BatchSize);

    /// <summary>Runs the probe at a state.</summary>
    /// <param name="theta">The trainable state [N].</param>
    public ProbeScores Evaluate(Tensor theta)
    {
        var examples = model.Task == ModelTask.CausalLm ? TokenScores(theta) : ClassScores(theta);
        var mean = probe.Performance.Evaluate(examples);
        if (model.Task == ModelTask.CausalLm) return WithGroupMeans(examples, mean);

        var overall = new Dictionary<string, double> { [MetricNames.LogLikelihood] = examples.Average(example => example.LogLikelihood) };
        if (model.Labels != 2)
        {
            overall[MetricNames.Accuracy] = examples.Count(example => ArgMax(example.Logits!) == example.Label) / (double)examples.Length;
            return new ProbeScores { Mean = mean, Examples = examples, Metrics = overall, Groups = [] };
        }

        var scored = examples.Select(example => new ScoredExample(PositiveLogOdds(example.Logits!), example.Label == 1)).ToArray();
        var groups = probe.Groups.Select(group => Scores(group, examples, scored)).ToArray();
        foreach (var (name, value) in BinaryMetrics.Of(scored)) overall[name] = value;
        if (groups.Length > 0)
        {
            overall[MetricNames.WorstGroupAccuracy] =
                BinaryMetrics.WorstGroupAccuracy(
                    probe.Groups.Select(group => (IReadOnlyList<ScoredExample>)[.. group.Subgroup.Select(i => scored[i])]));
            overall[MetricNames.FinalScore] =
                BinaryMetrics.FinalScore(overall[MetricNames.Auc], [.. groups.Select(group => group.Metrics)]);
        }

        return new ProbeScores { Mean = mean, Examples = examples, Metrics = overall, Groups = groups };
    }

    /// <summary>log p(class above 0) - log p(class 0): above 0 means flagged where there are two classes.</summary>
    internal static double PositiveLogOdds(IReadOnlyList<double> logits)
    {
        var peak = logits.Skip(1).Max();
        return peak + Math.Log(logits.Skip(1).Sum(logit => Math.Exp(logit - peak))) - logits[0];
    }

    /// <summary>The forward pass of one of <see cref="Batches"/>: row by row the logits, or the loss where tokens are predicted.</summary>
    /// <param name="theta">The trainable state [N].</param>
    /// <param name="batch">Numbers of examples.</param>
    public double[] Forward(Tensor theta, int[] batch)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (objective, parameters) = (new TransformerObjective(model, probe.Examples), model.Layout.Split(theta));
        var values = model.Task == ModelTask.CausalLm ? objective.Losses(parameters, batch) : objective.Logits(parameters, batch);
        return values.to(float64).ToArray<double>();
    }

    private ExampleScore[] ClassScores(Tensor theta) => Batched(theta, (i, values) =>
    {
        var logits = values.ToArray();
        return new ExampleScore
        {
            Id = probe.Examples[i].Id,
            Label = probe.Examples[i].Label,
            Logits = logits,
            LogLikelihood = ExampleValue.LogLikelihood(logits, probe.Examples[i].Label),
            Value = ExampleValue.Of(probe.Configuration.Metric, logits, probe.Targets[i]),
        };
    });

    private ExampleScore[] TokenScores(Tensor theta) => Batched(theta, (i, values) => new ExampleScore
    {
        Id = probe.Examples[i].Id,
        LogLikelihood = -values[0],
        Value = -values[0],
    });

    /// <summary>Forward passes over rows of similar length, results in file order.</summary>
    private ExampleScore[] Batched(Tensor theta, Func<int, ReadOnlySpan<double>, ExampleScore> score)
    {
        var scores = new ExampleScore[probe.Examples.Count];
        foreach (var batch in Batches)
        {
            var values = Forward(theta, batch);
            var width = values.Length / batch.Length;
            for (var row = 0; row < batch.Length; row++) scores[batch[row]] = score(batch[row], values.AsSpan(row * width, width));
        }

        return scores;
    }

    private ProbeScores WithGroupMeans(ExampleScore[] examples, double mean) => new()
    {
        Mean = mean,
        Examples = examples,
        Metrics = new Dictionary<string, double> { [MetricNames.LogLikelihood] = mean },
        Groups = [.. probe.Groups.Select(group => new GroupScores
        {
            Group = group.Name,
            Examples = group.Subgroup.Count(),
            Metrics = new Dictionary<string, double>
            {
                [MetricNames.LogLikelihood] = group.Subgroup.Select(i => examples[i].LogLikelihood).DefaultIfEmpty(double.NaN).Average(),
            },
        })],
    };

    private static GroupScores Scores(ProbeGroup group, ExampleScore[] examples, ScoredExample[] scored)
    {
        var metrics = BinaryMetrics.OfGroup([.. group.Subgroup.Select(i => scored[i])], [.. group.Background.Select(i => scored[i])]);
        metrics[MetricNames.LogLikelihood] = group.Subgroup.Select(i => examples[i].LogLikelihood).DefaultIfEmpty(double.NaN).Average();
        return new GroupScores { Group = group.Name, Examples = group.Subgroup.Count(), Metrics = metrics };
    }

    private static int ArgMax(IReadOnlyList<double> values) => Enumerable.Range(0, values.Count).MaxBy(i => values[i]);
}
