using LlmStageAudit.Checkpoints.Tokenization.Patterns;
using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.PreTokenization;

/// <summary>Splits at the matches of a pattern; inverted, at what lies between them.</summary>
internal sealed class PatternSplit(TextPattern pattern, SplitBehavior behavior, bool invert) : PieceCutter
{
    public override void Cut(AlignedText text, List<AlignedText> pieces) =>
        MatchCutter.Cut(text, pattern.Matches(text.Text), behavior, invert, pieces);
}
