using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>
/// A probe's examples in F random parts of about one size. Swept beside each other, they give every score F times over on other
/// examples, and so an interval for the whole probe's:
/// <code>
/// effect = sum_f part_f,    95% interval: effect +- t_{F-1} sd_f(part_f n / n_f) / sqrt(F)
/// </code>
/// part_f is what the examples of f add to the probe's mean, n / n_f times it their own mean.
/// </summary>
internal sealed class ProbeFolds
{
    private readonly double[] _scales;

    /// <summary>Splits n examples into F parts, from 1 to n, as equal as can be, at random.</summary>
    public ProbeFolds(int examples, int count, long seed)
    {
        var order = Enumerable.Range(0, examples).ToArray();
        if (count > 1) StableRandom.For(seed, "probe folds").Shuffle<int>(order);
        Members = [.. Enumerable.Range(0, count).Select(fold => order.Where((_, place) => place % count == fold).Order().ToArray())];
        _scales = [.. Members.Select(members => (double)examples / members.Length)];
    }

    /// <summary>The examples of each part.</summary>
    public IReadOnlyList<int[]> Members { get; }

    /// <summary>The scores of the whole probe, from those of each part in the same order of steps.</summary>
    public static IReadOnlyList<StepScore> Sum(IReadOnlyList<IReadOnlyList<StepScore>> parts) => parts.Count == 1
        ? parts[0]
        : [.. parts[0].Select((first, i) => first with
        {
            Effect = parts.Sum(part => part[i].Effect),
            BatchEffect = parts.Sum(part => part[i].BatchEffect),
            ExampleEffects = first.ExampleEffects is null
                ? null
                : [.. Enumerable.Range(0, first.ExampleEffects.Count)
                    .Select(example => parts.Sum(part => part[i].ExampleEffects![example]))],
        })];

    /// <summary>An effect of the whole probe, with the interval that the same effect of each part says.</summary>
    public StageEffect WithInterval(StageEffect effect, IReadOnlyList<double> parts)
    {
        if (parts.Count == 1) return effect;
        var half = StudentInterval.Of([.. parts.Zip(_scales, (part, scale) => part * scale)]).HalfWidth;
        return effect with { Low = effect.Estimate - half, High = effect.Estimate + half };
    }
}
