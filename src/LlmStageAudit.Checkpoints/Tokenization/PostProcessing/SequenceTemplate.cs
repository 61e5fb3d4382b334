using LlmStageAudit.Checkpoints.Tokenization.Text;
using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tokenization.PostProcessing;

/// <summary>The special tokens that stand before and after a text's own ids, and what becomes of the offsets of its own.</summary>
internal sealed record SequenceTemplate(IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    public static SequenceTemplate Empty { get; } = new([], []);

    /// <summary>White space at the ends of tokens is no part of their offsets.</summary>
    public bool TrimsOffsets { get; init; }

    /// <summary>One space before the first token was put there: the text has none to leave out.</summary>
    public bool AddsPrefixSpace { get; init; }

    /// <summary>This template with another put around it.</summary>
    public SequenceTemplate Within(SequenceTemplate outer) => new([.. outer.Before, .. Before], [.. After, .. outer.After])
    {
        TrimsOffsets = TrimsOffsets || outer.TrimsOffsets,
        AddsPrefixSpace = AddsPrefixSpace || outer.AddsPrefixSpace,
    };

    /// <summary>A token of the text with its final offset. Source: Hugging Face tokenizers, process_offsets of ByteLevel.</summary>
    public EncodedToken Trim(EncodedToken token, int index)
    {
        if (!TrimsOffsets) return token;
        var (start, end) = (token.Offset.Start.Value, token.Offset.End.Value);
        var leading = token.Value.TakeWhile(IsSpace).Count();
        var trailing = token.Value.Reverse().TakeWhile(IsSpace).Count();
        if (AddsPrefixSpace && leading == 1 && (index == 0 || start == 0)) leading = 0;
        start = Math.Min(start + leading, end);
        return new EncodedToken(token.Id, token.Value, start..(trailing <= end ? Math.Max(end - trailing, start) : end));
    }

    private static bool IsSpace(char character) => character == ByteAlphabet.CharOf((byte)' ') || char.IsWhiteSpace(character);
}
