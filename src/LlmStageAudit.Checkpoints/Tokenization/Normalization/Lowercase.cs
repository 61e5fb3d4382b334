using System.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>Each code point's lower case; U+0130 is the one that becomes two (i and a dot above).</summary>
internal sealed class Lowercase : AlignedNormalizer
{
    public override string Apply(string text)
    {
        var lowered = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value == 0x130) lowered.Append("i\u0307");
            else lowered.Append(Rune.ToLowerInvariant(rune).ToString());
        }

        return lowered.ToString();
    }

    public override IEnumerable<(int Start, int End)> Origins(string text)
    {
        var position = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var origin = (position, position += rune.Utf16SequenceLength);
            var width = rune.Value == 0x130 ? 2 : Rune.ToLowerInvariant(rune).Utf16SequenceLength;
            for (var unit = 0; unit < width; unit++) yield return origin;
        }
    }
}
