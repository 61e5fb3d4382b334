namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>One normalizer after the other; none at all leaves text as it is.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<INormalizer> steps) : INormalizer
{
    public string Normalize(string text) => steps.Aggregate(text, static (current, step) => step.Normalize(current));
}
