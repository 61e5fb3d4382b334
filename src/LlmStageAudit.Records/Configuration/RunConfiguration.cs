using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Configuration;

/// <summary>Everything that decides a run. Paths are absolute and per-stage blocks are merged.</summary>
public sealed record RunConfiguration
{
    /// <summary>The base model and its task.</summary>
    public required ModelSection Model { get; init; }

    /// <summary>Null (<c>adapter: none</c>): all parameters train.</summary>
    public AdapterSection? Adapter { get; init; }

    /// <summary>The run's block; each stage carries its own merged one.</summary>
    public required OptimizerSection Optimizer { get; init; }

    /// <summary>The run's block; each stage carries its own merged one.</summary>
    public required ScheduleSection Schedule { get; init; }

    /// <summary>Decides the order of rows, dropout and fresh weights.</summary>
    public required long Seed { get; init; }

    /// <summary>In training order, at least one.</summary>
    public required IReadOnlyList<StageSection> Stages { get; init; }

    /// <summary>Probe files, absolute.</summary>
    public IReadOnlyList<string> Probes { get; init; } = [];

    /// <summary>What the logs hold beside the steps.</summary>
    public TrajectorySection Trajectory { get; init; } = new();

    private const int MostStages = 100;

    /// <summary>What a configuration could not say; null: nothing.</summary>
    internal string? Fault()
    {
        // None where a counterfactual run leaves the last stage out.
        if (Stages.Count > MostStages) return $"configuration.stages: {Stages.Count} stages";
        if (Model.Labels is < 2 or > 100_000) return $"configuration.model.labels: {Model.Labels}";
        if (Model.MaxLength is < 1 or > 1 << 20) return $"configuration.model.maxLength: {Model.MaxLength}";
        if (Adapter?.Rank is < 1 or > 1 << 16) return $"configuration.adapter.rank: {Adapter.Rank}";
        var names = new HashSet<string>(StringComparer.Ordinal);
        return RecordRules.First(Stages, stage =>
            RecordRules.Name("configuration.stages", stage.Name)
            ?? (names.Add(stage.Name) ? null : $"configuration.stages: '{stage.Name}' stands there twice")
            ?? (stage.Epochs is < 1 or > 1_000_000 ? $"configuration.stages: {stage.Epochs} epochs" : null)
            ?? (stage.BatchSize is < 1 or > 1_000_000 ? $"configuration.stages: a batch size of {stage.BatchSize}" : null)
            ?? (stage.MicroBatchSize < 1 || stage.MicroBatchSize > stage.BatchSize
                ? $"configuration.stages: a micro-batch size of {stage.MicroBatchSize}"
                : null)
            ?? (stage.Dataset.Limit < 1 ? $"configuration.stages: a limit of {stage.Dataset.Limit}" : null)
            ?? (stage.Dataset.Sample < 1 ? $"configuration.stages: a sample of {stage.Dataset.Sample}" : null)
            ?? OfOptimizer(stage.Optimizer)
            ?? OfSchedule(stage.Schedule));
    }

    private static string? OfOptimizer(OptimizerSection optimizer)
    {
        var isSound = double.IsFinite(optimizer.LearningRate) && optimizer.LearningRate >= 0
            && IsDecay(optimizer.Momentum) && IsDecay(optimizer.Beta1) && IsDecay(optimizer.Beta2)
            && double.IsFinite(optimizer.WeightDecay) && optimizer.WeightDecay >= 0
            && double.IsFinite(optimizer.Epsilon) && optimizer.Epsilon > 0
            && optimizer.ClipNorm is null or (> 0 and < double.PositiveInfinity);
        return isSound ? null : "configuration.stages: an optimizer setting that a configuration could not have";
    }

    private static string? OfSchedule(ScheduleSection schedule) =>
        schedule.WarmupRatio is >= 0 and <= 1 && schedule.WarmupSteps is null or >= 0
            ? null
            : "configuration.stages: a warm-up that a configuration could not have";

    private static bool IsDecay(double value) => value is >= 0 and < 1;
}

/// <summary>What is logged at every step.</summary>
public sealed record TrajectorySection
{
    /// <summary>False leaves the raw gradients out: smaller logs, but only gradient sources that compute their own remain.</summary>
    public bool Gradients { get; init; } = true;
}
