using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Examples;

/// <summary>
/// Takes those rows of a table that a data section selects: filter, rows that lack something, the first or a random sample of the rest.
/// </summary>
/// <param name="section">What is selected.</param>
/// <param name="filter">Its condition; null: every row.</param>
/// <param name="lacks">What a row lacks of what it is taken for, or null.</param>
internal sealed class RowSelection(DatasetSection section, RowExpression? filter, Func<CommentRow, string?> lacks)
{
    private int _rows;
    private int _unknown;
    private int _taken;
    private (int Count, string First) _lacking;

    /// <summary>
    /// The rows, in file order. The table is read to its end, so that a fault behind the last of them is found, or that a file is cut off.
    /// A sample is a function of the seed and of the rows' numbers alone: a smaller one is part of a larger.
    /// </summary>
    public IEnumerable<CommentRow> Of(IEnumerable<CommentRow> rows)
    {
        if (section.Sample is not { } size)
        {
            foreach (var row in rows)
            {
                _rows++;
                if (_taken == section.Limit || !Passes(row)) continue;
                _taken++;
                yield return row;
            }

            yield break;
        }

        // The drawn row that would have to go first is the one with the highest number, so order is turned round.
        var drawn = new PriorityQueue<CommentRow, ulong>();
        var random = StableRandom.For(section.SampleSeed ?? 0, "sample");
        foreach (var row in rows)
        {
            _rows++;
            var order = ulong.MaxValue - random.NextUInt64();
            if (!Passes(row)) continue;
            drawn.Enqueue(row, order);
            if (drawn.Count > size) drawn.Dequeue();
        }

        _taken = drawn.Count;
        foreach (var (row, _) in drawn.UnorderedItems.OrderBy(item => item.Element.Number)) yield return row;
    }

    /// <summary>Refuses to go on with nothing.</summary>
    public void ThrowIfNone()
    {
        if (_taken > 0) return;
        var found = _rows == 0 ? "the file has no rows"
            : _lacking.Count > 0 ? $"no row is left: {_lacking.Count} lack a label or a text, the first {_lacking.First}"
            : $"none of {_rows} rows passes where: {section.Where}"
                + (_unknown > 0 ? $" ({_unknown} have an empty cell there, of which nothing is known)" : "");
        throw ModelingException.At(section.Path, found, "at least one example", "change the filter or the file");
    }

    /// <summary>What to know of the selection, once it is made.</summary>
    public IEnumerable<Warning> Warnings()
    {
        if (_lacking.Count > 0)
        {
            yield return new Warning(
                "rows-left-out",
                $"{section.Path}: {_lacking.Count} of {_lacking.Count + _taken} rows lack a label or a text and are left out (missing: skip), "
                + $"the first {_lacking.First}");
        }
    }

    private bool Passes(CommentRow row)
    {
        if (filter?.Test(row) is var isWanted && filter is not null && isWanted != true)
        {
            if (isWanted is null) _unknown++;
            return false;
        }

        if (section.Missing != MissingRows.Skip || lacks(row) is not { } lack) return true;
        _lacking = (_lacking.Count + 1, _lacking.Count == 0 ? $"{row.Where}: {lack}" : _lacking.First);
        return false;
    }
}
