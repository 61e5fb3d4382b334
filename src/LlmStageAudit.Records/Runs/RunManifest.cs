using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Runs;

/// <summary>What a run is, what it read, what computed it and how far it came: enough to repeat it.</summary>
public sealed record RunManifest : IArtifact<RunManifest>
{
    public static string KindName => "run";

    public static int CurrentSchemaVersion => 1;

    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    public string Kind { get; init; } = KindName;

    /// <summary>32 hexadecimal digits, see <see cref="RunIdentity"/>.</summary>
    public required string RunId { get; init; }

    public required DateTime CreatedUtc { get; init; }

    public required string ToolVersion { get; init; }

    /// <summary>What computed the run's first step.</summary>
    public required EngineRecord Engine { get; init; }

    /// <summary>What went on with it where that was another engine, in the order of resuming; null: never.</summary>
    public IReadOnlyList<EngineRecord>? LaterEngines { get; init; }

    public required RunConfiguration Configuration { get; init; }

    public IReadOnlyList<InputRecord> Inputs { get; init; } = [];

    /// <summary>Trainable values: N.</summary>
    public required long ParameterCount { get; init; }

    public IReadOnlyList<ParameterRecord> Parameters { get; init; } = [];

    public RunStart Start { get; init; } = new();

    /// <summary>In training order.</summary>
    public IReadOnlyList<StageResult> Stages { get; init; } = [];

    public double TrainSeconds { get; init; }

    public double LogSeconds { get; init; }

    public RunState State { get; init; } = RunState.Running;
}
