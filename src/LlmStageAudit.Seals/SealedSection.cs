namespace LlmStageAudit.Seals;

/// <summary>A part of the manifest, pinned by its content, so that a changed manifest can be told by the field that changed.</summary>
public sealed record SealedSection
{
    /// <summary>The part's place in the manifest, such as <c>configuration.seed</c>, <c>inputs[2]</c> or <c>stages[0]</c>.</summary>
    public required string Field { get; init; }

    /// <summary>Of the part's JSON on one line; lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }
}
