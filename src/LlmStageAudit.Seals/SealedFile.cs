namespace LlmStageAudit.Seals;

/// <summary>A file of the run folder, pinned to the byte.</summary>
public sealed record SealedFile
{
    /// <summary>Relative to the run folder, with forward slashes.</summary>
    public required string Path { get; init; }

    public required long SizeBytes { get; init; }

    /// <summary>Lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }
}
