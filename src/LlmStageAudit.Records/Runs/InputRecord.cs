namespace LlmStageAudit.Records.Runs;

/// <summary>A file that a run read, pinned by its content.</summary>
public sealed record InputRecord
{
    /// <summary>What the run read it for.</summary>
    public required InputRole Role { get; init; }

    /// <summary>The file, absolute.</summary>
    public required string Path { get; init; }

    /// <summary>Lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Length of the file when it was read.</summary>
    public required long SizeBytes { get; init; }
}

/// <summary>What a run read a file for.</summary>
public enum InputRole
{
    /// <summary>Part of the model folder: configuration or weights.</summary>
    Model,
    /// <summary>Recipe or weights of the adapter that training starts from.</summary>
    Adapter,
    /// <summary>What turns text into tokens.</summary>
    Tokenizer,
    /// <summary>Rows of a stage.</summary>
    Data,
    /// <summary>Rows of a probe; no part of the run's id.</summary>
    Probe,
}
