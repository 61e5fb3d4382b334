namespace LlmStageAudit.Checkpoints.Tokenization.PostProcessing;

/// <summary>The special tokens that stand before and after a text's own ids.</summary>
internal sealed record SequenceTemplate(IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    public static SequenceTemplate Empty { get; } = new([], []);

    /// <summary>This template with another put around it.</summary>
    public SequenceTemplate Within(SequenceTemplate outer) => new([.. outer.Before, .. Before], [.. After, .. outer.After]);
}
