namespace LlmStageAudit.Records.Runs;

/// <summary>A file that a run read, pinned by its content.</summary>
public sealed record InputRecord
{
    public required InputRole Role { get; init; }

    public required string Path { get; init; }

    /// <summary>Lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    public required long SizeBytes { get; init; }
}
