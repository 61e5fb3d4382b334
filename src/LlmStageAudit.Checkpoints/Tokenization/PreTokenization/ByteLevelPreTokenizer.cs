namespace LlmStageAudit.Checkpoints.Tokenization.PreTokenization;

/// <summary>Optionally puts a space before the text and cuts it as GPT-2 does; then spells every piece in GPT-2's byte alphabet.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool cut) : IPreTokenizer
{
    public void Cut(string text, List<string> pieces)
    {
        if (text.Length == 0) return;
        if (addPrefixSpace && text[0] != ' ') text = " " + text;
        if (!cut)
        {
            pieces.Add(ByteAlphabet.Spell(text));
            return;
        }

        for (var start = 0; start < text.Length;)
        {
            var end = Gpt2Pieces.End(text, start);
            pieces.Add(ByteAlphabet.Spell(text.AsSpan(start, end - start)));
            start = end;
        }
    }
}
