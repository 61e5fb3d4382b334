using System.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>Each code point's lower case; U+0130 is the one that becomes two (i and a dot above).</summary>
internal sealed class Lowercase : INormalizer
{
    public string Normalize(string text)
    {
        var lowered = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value == 0x130) lowered.Append("i\u0307");
            else lowered.Append(Rune.ToLowerInvariant(rune).ToString());
        }

        return lowered.ToString();
    }
}
