using LlmStageAudit.Checkpoints.Tokenization.Steps;
using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>Takes a text through the steps of a tokenizer.json: added tokens, normalizer, pre-tokenizer, byte-pair model.</summary>
internal sealed class TextEncoder
{
    private readonly TokenizerParts _parts;
    private readonly PieceCutter _cutter;
    private readonly PieceCutter _uncut;
    private readonly AddedTokenFinder _rawFinder;
    private readonly AddedTokenFinder _normalizedFinder;
    private readonly Lazy<AddedTokenFinder> _unnormalizedFinder;

    public TextEncoder(TokenizerParts parts)
    {
        _parts = parts;
        _cutter = parts.PreTokenizer ?? PieceCutterSequence.Empty;
        _uncut = _cutter.Uncut;
        _rawFinder = Finder(normalized: false, static content => content);
        _normalizedFinder = Finder(normalized: true, content => parts.Normalizer?.Apply(content) ?? content);
        _unnormalizedFinder = new Lazy<AddedTokenFinder>(() => Finder(normalized: true, static content => content));
    }

    /// <summary>Without normalization as if the file had no normalizer; without pre-tokenization as if none of its steps cut.</summary>
    /// <param name="text">Of any length.</param>
    /// <param name="settings">Once there are more ids than its limit, the rest of the text may add none.</param>
    /// <param name="tracks">Whether to keep where each id stands; that takes longer.</param>
    /// <exception cref="CheckpointException">A character the vocabulary has no answer for.</exception>
    public EncodedText Encode(string text, EncodeSettings settings, bool tracks)
    {
        var normalizer = settings.ConsiderNormalization ? _parts.Normalizer : null;
        var finder = normalizer is null ? _unnormalizedFinder.Value : _normalizedFinder;
        var cutter = settings.ConsiderPreTokenization ? _cutter : _uncut;
        var whole = new AlignedText(WellFormedText.Of(text), tracks);
        var encoded = new EncodedText(text, normalizer is not null);
        var pieces = new List<AlignedText>();
        foreach (var (rawToken, rawStart, rawEnd) in _rawFinder.Split(whole.Text))
        {
            var raw = whole.Slice(rawStart, rawEnd);
            if (rawToken is not null)
            {
                Add(rawToken, raw);
                continue;
            }

            var normalized = normalizer?.Apply(raw) ?? raw;
            foreach (var (token, start, end) in finder.Split(normalized.Text))
            {
                var part = normalized.Slice(start, end);
                if (token is null) AddPieces(part);
                else Add(token, part);
            }
        }

        return encoded;

        void Add(AddedToken token, AlignedText part)
        {
            encoded.Ids.Add(token.Id);
            if (tracks) encoded.Place(part, (0, part.Text.Length));
            encoded.Close(part);
        }

        void AddPieces(AlignedText part)
        {
            pieces.Clear();
            if (encoded.Ids.Count <= settings.MaxTokenCount) cutter.Cut(new AlignedText(part.Text, tracks, part.IsFirst), pieces);
            foreach (var piece in pieces)
            {
                if (encoded.Ids.Count > settings.MaxTokenCount) break;
                List<(int Start, int End)>? extents = tracks ? [] : null;
                _parts.Model.Append(piece.Text, encoded.Ids, extents);
                foreach (var (start, end) in extents ?? []) encoded.Place(part, piece.Origin(start, end));
            }

            encoded.Close(part);
        }
    }

    private AddedTokenFinder Finder(bool normalized, Func<string, string> spelled) => new(
        _parts.AddedTokens.Where(token => token.Normalized == normalized).Select(token => (token, spelled(token.Content))));
}

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
