using System.Text;
using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.PreTokenization;

/// <summary>Sets numbers (categories Nd, Nl, No) apart, each digit for itself or run by run.</summary>
internal sealed class DigitSplit(bool individual) : PieceCutter
{
    public override void Cut(AlignedText text, List<AlignedText> pieces) =>
        MatchCutter.Cut(text, Numbers(text.Text), individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous, invert: false, pieces);

    private static IEnumerable<(int Start, int End)> Numbers(string text)
    {
        var position = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsNumber(rune)) yield return (position, position + rune.Utf16SequenceLength);
            position += rune.Utf16SequenceLength;
        }
    }
}
