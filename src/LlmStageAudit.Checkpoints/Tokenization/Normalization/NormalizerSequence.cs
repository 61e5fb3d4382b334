using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>One normalizer after the other.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<AlignedNormalizer> steps) : AlignedNormalizer
{
    public override string Apply(string text) => steps.Aggregate(text, static (current, step) => step.Apply(current));

    public override IEnumerable<(int Start, int End)> Origins(string text)
    {
        var normalized = steps.Aggregate(new AlignedText(text, tracks: true), static (current, step) =>
            current.Rewritten(0, current.Text.Length, step.Apply(current.Text), step.Origins));
        for (var unit = 0; unit < normalized.Text.Length; unit++) yield return normalized.Origin(unit, unit + 1);
    }
}
