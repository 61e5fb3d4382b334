using LlmStageAudit.Checkpoints.Tokenization.Normalization;
using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.PreTokenization;

/// <summary>Optionally puts a space before the text and cuts it as GPT-2 does; then spells every piece in GPT-2's byte alphabet.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool cut) : PieceCutter
{
    private static readonly Prepend PrefixSpace = new(" ");

    public override PieceCutter Uncut => new ByteLevelPreTokenizer(addPrefixSpace, cut: false);

    public override void Cut(AlignedText text, List<AlignedText> pieces)
    {
        if (text.Text.Length == 0) return;
        if (addPrefixSpace && text.Text[0] != ' ')
        {
            text = text.Rewritten(0, text.Text.Length, PrefixSpace.Apply(text.Text), PrefixSpace.Origins);
        }

        for (var start = 0; start < text.Text.Length;)
        {
            var end = cut ? Gpt2Pieces.End(text.Text, start) : text.Text.Length;
            pieces.Add(text.Rewritten(start, end, ByteAlphabet.Spell(text.Text.AsSpan(start, end - start)), ByteAlphabet.Origins));
            start = end;
        }
    }
}
