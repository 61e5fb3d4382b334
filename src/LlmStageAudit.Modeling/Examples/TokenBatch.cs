namespace LlmStageAudit.Modeling.Examples;

/// <summary>Token ids of B rows, padded to the longest: row-major [B, T].</summary>
public sealed class TokenBatch
{
    private readonly int[] _starts;
    private readonly int[] _ends;

    private TokenBatch(long[] ids, int width, int[] starts, int[] ends) => (Ids, Width, _starts, _ends) = (ids, width, starts, ends);

    /// <summary>Token ids [B, T], row-major, padding included.</summary>
    public long[] Ids { get; }

    /// <summary>B.</summary>
    public int Rows => _ends.Length;

    /// <summary>T.</summary>
    public int Width { get; }

    internal bool PaddedOnTheRight => _starts.All(start => start == 0);

    /// <summary>Puts rows of different lengths into one batch.</summary>
    /// <param name="rows">Token ids, each row not empty.</param>
    /// <param name="padTokenId">Fills the rest; 0 where the model names none, which changes nothing.</param>
    /// <param name="padLeft">Padding in front instead of behind.</param>
    public static TokenBatch Pad(IReadOnlyList<int[]> rows, int? padTokenId, bool padLeft = false)
    {
        var width = rows.Max(row => row.Length);
        var ids = new long[rows.Count * width];
        Array.Fill(ids, padTokenId ?? 0);
        var starts = new int[rows.Count];
        var ends = new int[rows.Count];
        for (var i = 0; i < rows.Count; i++)
        {
            starts[i] = padLeft ? width - rows[i].Length : 0;
            ends[i] = starts[i] + rows[i].Length;
            for (var t = 0; t < rows[i].Length; t++) ids[(i * width) + starts[i] + t] = rows[i][t];
        }

        return new TokenBatch(ids, width, starts, ends);
    }

    /// <summary>These B rows, a number of times behind one another.</summary>
    public TokenBatch Repeat(int times) => new(Repeat(Ids, times), Width, Repeat(_starts, times), Repeat(_ends, times));

    /// <summary>[B, T]: true at tokens, false at padding.</summary>
    public bool[] Real()
    {
        var real = new bool[Ids.Length];
        for (var i = 0; i < Rows; i++) Array.Fill(real, true, (i * Width) + _starts[i], _ends[i] - _starts[i]);
        return real;
    }

    /// <summary>
    /// Where a classifier reads each row: the rightmost token that is not the padding token, as Hugging Face models do, so
    /// that real padding tokens at a row's end are passed over; the last token where the model names no padding token.
    /// </summary>
    internal int[] PooledPositions(int? padTokenId)
    {
        var positions = new int[Rows];
        for (var i = 0; i < Rows; i++)
        {
            var position = _ends[i] - 1;
            while (position > _starts[i] && Ids[(i * Width) + position] == padTokenId) position--;
            positions[i] = position;
        }

        return positions;
    }

    private static T[] Repeat<T>(T[] values, int times) => [.. Enumerable.Repeat(values, times).SelectMany(copy => copy)];
}
