using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>Puts a prefix before text that is not empty.</summary>
internal sealed class Prepend(string prefix) : AlignedNormalizer
{
    public override string Apply(string text) => text.Length == 0 ? text : prefix + text;

    /// <summary>The prefix comes from the first character.</summary>
    public override IEnumerable<(int Start, int End)> Origins(string text) => text.Length == 0
        ? []
        : Enumerable.Repeat((0, AlignedText.WidthAt(text, 0)), prefix.Length).Concat(AlignedText.Unchanged(text, 0, text.Length));
}
