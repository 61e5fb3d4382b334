using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>What <see cref="TextEncoder"/> makes of a text.</summary>
/// <param name="given">The text.</param>
/// <param name="normalizes">Whether a normalizer is applied to it.</param>
internal sealed class EncodedText(string given, bool normalizes)
{
    private readonly List<string> _parts = [];
    private readonly List<(int Start, int End)> _normalizedOffsets = [];
    private int _normalizedLength;

    public List<int> Ids { get; } = new((given.Length / 3) + 4);

    /// <summary>Where each id comes from in the given text; empty where that is not tracked.</summary>
    public List<(int Start, int End)> GivenOffsets { get; } = [];

    /// <summary>Where each id stands in the normalized text, or in the given one where there is no normalizer.</summary>
    public List<(int Start, int End)> Offsets => normalizes ? _normalizedOffsets : GivenOffsets;

    /// <summary>The text that was searched for tokens, or null where it is the given one.</summary>
    public string? NormalizedText => normalizes ? string.Concat(_parts) : null;

    private int Length => normalizes ? _normalizedLength : given.Length;

    /// <summary>Says where an id stands that was added last.</summary>
    /// <param name="part">The part of the text, normalized, that the id is of; its origins lie in the given text.</param>
    /// <param name="offset">Where it stands in that part.</param>
    public void Place(AlignedText part, (int Start, int End) offset)
    {
        GivenOffsets.Add(part.Origin(offset.Start, offset.End));
        _normalizedOffsets.Add((_normalizedLength + offset.Start, _normalizedLength + offset.End));
    }

    /// <summary>Goes on behind a part whose ids have been added.</summary>
    public void Close(AlignedText part)
    {
        _parts.Add(part.Text);
        _normalizedLength += part.Text.Length;
    }

    /// <summary>The end of the last character whose ids are all among the first ones; of all, the end of the text.</summary>
    public int EndOfFirst(int count) =>
        count >= Ids.Count ? Length : count == 0 ? 0 : Math.Min(Offsets[count - 1].End, Offsets[count].Start);

    /// <summary>The start of the first character whose ids are all among the last ones; of all, the start of the text.</summary>
    public int StartOfLast(int count) =>
        count >= Ids.Count ? 0 : count == 0 ? Length : Math.Max(Offsets[^count].Start, Offsets[^(count + 1)].End);
}
