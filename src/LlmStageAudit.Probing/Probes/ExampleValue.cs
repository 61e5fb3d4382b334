using System.Diagnostics;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Probing.Probes;

/// <summary>
/// The value of one example under a metric, as a number and as a tensor to be differentiated: the same formula twice, side by side.
/// <code>
/// log-likelihood    log softmax(logits)[target]         also where the metric is one of groups, which orders examples by their logits
/// margin            logits[target] - max of the others
/// </code>
/// </summary>
internal static class ExampleValue
{
    /// <summary>Of one example, by its logits.</summary>
    public static double Of(Metric metric, double[] logits, int target) => metric switch
    {
        Metric.LogLikelihood or { IsOfGroups: true } => LogLikelihood(logits, target),
        Metric.Margin => logits[target] - logits.Where((_, label) => label != target).Max(),
        _ => throw new UnreachableException($"{metric} has no value of an example"),
    };

    /// <summary>Of several examples, in the current dispose scope: logits [B, V] and as many targets give [B].</summary>
    public static Tensor Of(Metric metric, Tensor logits, IReadOnlyList<int> targets)
    {
        var places = TensorMemory.Of([.. targets.Select(target => (long)target)], [targets.Count, 1], logits.device);
        return metric switch
        {
            Metric.LogLikelihood or { IsOfGroups: true } => logits.log_softmax(-1).gather(1, places).squeeze(1),
            Metric.Margin => logits.gather(1, places).squeeze(1) - Others().amax([-1]),
            _ => throw new UnreachableException($"{metric} has no value of an example"),
        };

        Tensor Others()
        {
            var (rows, labels) = (targets.Count, (int)logits.size(1));
            var isOwn = targets.SelectMany(target => Enumerable.Range(0, labels).Select(label => label == target));
            return logits.filled(TensorMemory.Of([.. isOwn], [rows, labels], logits.device), double.NegativeInfinity);
        }
    }

    /// <summary>log softmax(logits)[label], in nats.</summary>
    public static double LogLikelihood(double[] logits, int label)
    {
        var peak = logits.Max();
        return logits[label] - peak - Math.Log(logits.Sum(logit => Math.Exp(logit - peak)));
    }
}
