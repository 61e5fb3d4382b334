namespace LlmStageAudit.Artifacts.Runs;

/// <summary>What computed a run: the same again is needed for the same bits.</summary>
public sealed record EngineRecord
{
    public required string LibTorchVersion { get; init; }

    public required int Threads { get; init; }

    public required string Device { get; init; }

    /// <summary>Processor and operating system.</summary>
    public required string Machine { get; init; }

    /// <summary>The .NET runtime.</summary>
    public required string Runtime { get; init; }
}
