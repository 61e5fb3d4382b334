using System.Collections;
using System.Text.Json;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>
/// The row ids of a log, each kept once: every epoch names the same rows, so that a batch is a handful of places in this table.
/// </summary>
internal sealed class BatchIdTable
{
    private const int LongestOnStack = 256;

    private readonly List<string> _ids = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private int[] _batch = new int[64];

    public BatchIdTable() => _lookup = _places.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>How many different ids the log names.</summary>
    public int Count => _ids.Count;

    /// <summary>Reads a batch's ids as places in this table, adding those that are new.</summary>
    /// <param name="reader">At the start of the list; afterwards at its end.</param>
    public int[] ReadBatch(ref Utf8JsonReader reader)
    {
        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String) throw new FormatException("an id that is no text");
            if (count == _batch.Length) Array.Resize(ref _batch, 2 * count);
            _batch[count++] = PlaceOf(ref reader);
        }

        return _batch.AsSpan(0, count).ToArray();
    }

    /// <summary>The batch as its ids.</summary>
    public IReadOnlyList<string> View(int[] batch) => new Batch(_ids, batch);

    private int PlaceOf(ref Utf8JsonReader reader)
    {
        var bound = reader.ValueSpan.Length;
        var text = bound <= LongestOnStack ? stackalloc char[LongestOnStack] : new char[bound];
        text = text[..reader.CopyString(text)];
        if (_lookup.TryGetValue(text, out var place)) return place;
        place = _ids.Count;
        var id = text.ToString();
        _ids.Add(id);
        _places.Add(id, place);
        return place;
    }

    private sealed class Batch(List<string> ids, int[] places) : IReadOnlyList<string>
    {
        public int Count => places.Length;

        public string this[int index] => ids[places[index]];

        public IEnumerator<string> GetEnumerator()
        {
            foreach (var place in places) yield return ids[place];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
