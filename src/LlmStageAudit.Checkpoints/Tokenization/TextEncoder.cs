using LlmStageAudit.Checkpoints.Tokenization.AddedTokens;
using LlmStageAudit.Checkpoints.Tokenization.Files;
using LlmStageAudit.Checkpoints.Tokenization.PreTokenization;
using LlmStageAudit.Checkpoints.Tokenization.Text;
using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>Takes a text through the steps of a tokenizer.json: added tokens, normalizer, pre-tokenizer, byte-pair model.</summary>
internal sealed class TextEncoder
{
    private const int KeptPieces = 1 << 12;

    /// <summary>One list of pieces serves all the short texts of a thread.</summary>
    [ThreadStatic]
    private static List<AlignedText>? t_pieces;

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
    /// <exception cref="TokenizerException">A character the vocabulary has no answer for.</exception>
    public EncodedText Encode(string text, EncodeSettings settings, bool tracks)
    {
        var normalizer = settings.ConsiderNormalization ? _parts.Normalizer : null;
        var finder = normalizer is null ? _unnormalizedFinder.Value : _normalizedFinder;
        var cutter = settings.ConsiderPreTokenization ? _cutter : _uncut;
        var whole = new AlignedText(WellFormedText.Of(text), tracks);
        var encoded = new EncodedText(text, normalizer is not null);
        var pieces = t_pieces ??= [];
        foreach (var (rawToken, rawStart, rawEnd) in _rawFinder.Split(whole.Text))
        {
            var raw = whole.Slice(rawStart, rawEnd);
            if (rawToken is not null)
            {
                Add(rawToken, raw);
                continue;
            }

            var normalized = normalizer is null ? raw : raw.Rewritten(0, raw.Text.Length, normalizer.Apply(raw.Text), normalizer.Origins);
            foreach (var (token, start, end) in finder.Split(normalized.Text))
            {
                var part = normalized.Slice(start, end);
                if (token is null) AddPieces(part);
                else Add(token, part);
            }
        }

        if (pieces.Capacity > KeptPieces) t_pieces = null;
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
            if (encoded.Ids.Count <= settings.MaxTokenCount) cutter.Cut(new AlignedText(part.Text, tracks), pieces);
            if (tracks) Trace(pieces, part, encoded, settings.MaxTokenCount);
            else Append(pieces, encoded.Ids, settings.MaxTokenCount);
            encoded.Close(part);
        }
    }

    private void Append(List<AlignedText> pieces, List<int> ids, int limit)
    {
        foreach (var piece in pieces)
        {
            if (ids.Count > limit) return;
            _parts.Model.Append(piece.Text, ids);
        }
    }

    private void Trace(List<AlignedText> pieces, AlignedText part, EncodedText encoded, int limit)
    {
        var extents = new List<(int Start, int End)>();
        foreach (var piece in pieces)
        {
            if (encoded.Ids.Count > limit) return;
            extents.Clear();
            _parts.Model.AppendUncached(piece.Text, encoded.Ids, extents);
            foreach (var (start, end) in extents) encoded.Place(part, piece.Origin(start, end));
        }
    }

    private AddedTokenFinder Finder(bool normalized, Func<string, string> spelled) => new(
        _parts.AddedTokens.Where(token => token.Normalized == normalized).Select(token => (token, spelled(token.Content))));
}
