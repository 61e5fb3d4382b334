namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>
/// The effects of all sets of consecutive steps a..b of a run, from one sweep:
/// <code>effect(a..b) = lambda_b . (s_b - s_{a-1})</code>
/// as if the steps had been skipped together ([AA] appendix B, eq. 24). It differs from the sum of the steps' own effects, which
/// counts the momentum they hand each other more than once. Steps are numbered from 1 through the whole run; across a
/// job boundary the state before is taken with the fresh optimizer of the job b belongs to.
/// </summary>
public sealed class BlockTable
{
    /// <summary>A table of more steps is not kept: it grows with their square.</summary>
    public const int MaximumSteps = 2000;

    /// <summary>A table of products that a sweep has summed up.</summary>
    /// <param name="before">[b - 1][a - 1]: lambda_b . s_{a-1}, for a up to b.</param>
    /// <param name="after">[b - 1]: lambda_b . s_b.</param>
    /// <exception cref="ArgumentException">The rows are not as many, or as long, as the steps.</exception>
    public BlockTable(IReadOnlyList<IReadOnlyList<double>> before, IReadOnlyList<double> after)
    {
        if (before.Count != after.Count || before.Index().Any(row => row.Item.Count != row.Index + 1))
            throw new ArgumentException($"{after.Count} steps take {after.Count} rows of 1, 2, 3, ... numbers.", nameof(before));
        (Before, After) = (before, after);
    }

    /// <summary>Steps of the run.</summary>
    public int Count => After.Count;

    /// <summary>[b - 1][a - 1]: lambda_b . s_{a-1}, for a up to b.</summary>
    public IReadOnlyList<IReadOnlyList<double>> Before { get; }

    /// <summary>[b - 1]: lambda_b . s_b.</summary>
    public IReadOnlyList<double> After { get; }

    /// <summary>The effect of steps a to b, left out together. Positive: they raised gamma.</summary>
    /// <param name="first">a, from 1.</param>
    /// <param name="last">b, at least a.</param>
    public double Effect(int first, int last)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(first, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(last, first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(last, Count);
        return After[last - 1] - Before[last - 1][first - 1];
    }
}
