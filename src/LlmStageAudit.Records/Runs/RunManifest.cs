using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Runs;

/// <summary>What a run is, what it read, what computed it and how far it came: enough to repeat it.</summary>
public sealed record RunManifest : RunArtifact<RunManifest>, IArtifact<RunManifest>
{
    /// <inheritdoc/>
    public static string KindName => "run";

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

    /// <summary>What makes the run other than it may be taken for, in the order found; no part of its id.</summary>
    public IReadOnlyList<Warning> Warnings { get; init; } = [];

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

/// <summary>Where a run began, and what it leaves out: a counterfactual run names the run it departs from.</summary>
public sealed record RunStart
{
    /// <summary>Whether the first state was made or taken over.</summary>
    public RunStartKind Kind { get; init; } = RunStartKind.Initial;

    /// <summary>The run departed from; null where there is none.</summary>
    public string? RunId { get; init; }

    /// <summary>Folder of the run departed from when this one began; null where there is none.</summary>
    public string? RunPath { get; init; }

    /// <summary>The stage of that run whose end this one starts from.</summary>
    public string? AfterStage { get; init; }

    /// <summary>Stages of the configuration that are not trained.</summary>
    public IReadOnlyList<string> SkippedStages { get; init; } = [];
}

/// <summary>What state a run began with.</summary>
public enum RunStartKind
{
    /// <summary>The state its own configuration makes.</summary>
    Initial,

    /// <summary>The state of another run at the end of one of its stages.</summary>
    Checkpoint,
}

/// <summary>How far a stage came and what it did. Numbers are null until there is a step to take them from.</summary>
public sealed record StageResult
{
    /// <summary>As in the configuration.</summary>
    public required string Name { get; init; }

    /// <summary>From 0, in the configuration.</summary>
    public required int Index { get; init; }

    /// <summary>The first step's number in the run, from 1.</summary>
    public int? FirstStep { get; init; }

    /// <summary>Steps done.</summary>
    public int Steps { get; init; }

    /// <summary>Rows of the data set that are trained on, each once per epoch.</summary>
    public int? Examples { get; init; }

    /// <summary>Mean loss in nats of the first step's batch.</summary>
    public double? LossFirst { get; init; }

    /// <summary>Mean loss in nats of the last step's batch.</summary>
    public double? LossLast { get; init; }

    /// <summary>Mean over steps, in nats.</summary>
    public double? LossMean { get; init; }

    /// <summary>Wall time of its steps in seconds, without <see cref="LogSeconds"/>.</summary>
    public double TrainSeconds { get; init; }

    /// <summary>What logging added.</summary>
    public double LogSeconds { get; init; }

    /// <summary>The log's last hash, which pins all of it; lower-case hexadecimal.</summary>
    public string? TrajectoryHead { get; init; }

    /// <summary>How far the stage came.</summary>
    public StageState State { get; init; } = StageState.Pending;

    /// <summary>Of the trainable state at the stage's end; lower-case hexadecimal.</summary>
    public string? StateSha256 { get; init; }
}

/// <summary>How far a stage came.</summary>
public enum StageState
{
    /// <summary>No step was made.</summary>
    Pending,
    /// <summary>Some steps may have been made, not all.</summary>
    Running,
    /// <summary>All steps were made and its last state is saved.</summary>
    Completed,
}

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
