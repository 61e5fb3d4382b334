using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Runs;

/// <summary>What a run is, what it read, what computed it and how far it came: enough to repeat it.</summary>
public sealed record RunManifest : IArtifact<RunManifest>
{
    /// <inheritdoc/>
    public static string KindName => "run";

    /// <inheritdoc/>
    public static int CurrentSchemaVersion => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <inheritdoc/>
    public string Kind { get; init; } = KindName;

    /// <summary>32 hexadecimal digits, see <see cref="RunIdentity"/>.</summary>
    public required string RunId { get; init; }

    /// <summary>When the run began, UTC.</summary>
    public required DateTime CreatedUtc { get; init; }

    /// <summary>Version of the program that began the run.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>What computed the run's first step.</summary>
    public required EngineRecord Engine { get; init; }

    /// <summary>What went on with it where that was another engine, in the order of resuming; null: never.</summary>
    public IReadOnlyList<EngineRecord>? LaterEngines { get; init; }

    /// <summary>All settings, with those of the command line merged in.</summary>
    public required RunConfiguration Configuration { get; init; }

    /// <summary>Every file that was read, pinned by its content.</summary>
    public IReadOnlyList<InputRecord> Inputs { get; init; } = [];

    /// <summary>Trainable values: N.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>The trainable tensors, in the order of the flat parameter vector.</summary>
    public IReadOnlyList<ParameterRecord> Parameters { get; init; } = [];

    /// <summary>What state the run began with.</summary>
    public RunStart Start { get; init; } = new();

    /// <summary>In training order.</summary>
    public IReadOnlyList<StageResult> Stages { get; init; } = [];

    /// <summary>Sum over stages of <see cref="StageResult.TrainSeconds"/>.</summary>
    public double TrainSeconds { get; init; }

    /// <summary>Sum over stages of <see cref="StageResult.LogSeconds"/>.</summary>
    public double LogSeconds { get; init; }

    /// <summary>How far the run came.</summary>
    public RunState State { get; init; } = RunState.Running;

    string? IArtifact<RunManifest>.Fault() =>
        RecordRules.RunId(RunId)
        ?? Configuration.Fault()
        ?? StageFault()
        ?? (ParameterCount is < 0 or > 1L << 48 ? $"parameterCount: {ParameterCount}" : null)
        ?? RecordRules.First(Parameters, parameter =>
            parameter.Shape.All(size => size is >= 0 and <= 1L << 48)
                ? null
                : $"parameters: the shape of '{parameter.Name}' is negative or too large")
        ?? RecordRules.First(Inputs, input =>
            RecordRules.Hash("inputs", input.Sha256) ?? (input.SizeBytes < 0 ? $"inputs: a file of {input.SizeBytes} bytes" : null))
        ?? RecordRules.First(Start.SkippedStages, name => RecordRules.Name("start.skippedStages", name))
        ?? (Start.AfterStage is { } after ? RecordRules.Name("start.afterStage", after) : null)
        ?? (Start.RunId is { } parent ? RecordRules.RunId(parent) : null);

    private string? StageFault()
    {
        var last = -1;
        return RecordRules.First(Stages, stage =>
        {
            if (stage.Index <= last || stage.Index >= Configuration.Stages.Count)
                return $"stages: the index {stage.Index} after {last}";
            last = stage.Index;
            return RecordRules.Name("stages", stage.Name)
                ?? RecordRules.Count("stages: steps", stage.Steps)
                ?? (stage.FirstStep < 1 ? $"stages: first step {stage.FirstStep}" : null)
                ?? (stage.Examples < 0 ? $"stages: {stage.Examples} examples" : null)
                ?? RecordRules.Hash("stages", stage.TrajectoryHead)
                ?? RecordRules.Hash("stages", stage.StateSha256);
        });
    }
}

/// <summary>A trainable tensor, in the order in which the flat parameter vector and every logged gradient hold them.</summary>
public sealed record ParameterRecord
{
    /// <summary>The tensor's name in the saved state.</summary>
    public required string Name { get; init; }

    /// <summary>Its sizes, outermost first.</summary>
    public required IReadOnlyList<long> Shape { get; init; }
}

/// <summary>How far a run came.</summary>
public enum RunState
{
    /// <summary>Being trained, or killed meanwhile.</summary>
    Running,

    /// <summary>Ended on a signal at a valid checkpoint.</summary>
    Stopped,
    /// <summary>Every stage was trained.</summary>
    Completed,
}
