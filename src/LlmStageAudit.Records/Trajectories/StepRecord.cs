namespace LlmStageAudit.Records.Trajectories;

/// <summary>What one optimizer step did, beside its gradient.</summary>
public sealed record StepRecord
{
    /// <summary>From 1, over the whole run.</summary>
    public required int Step { get; init; }

    /// <summary>From 1, within the stage.</summary>
    public required int StageStep { get; init; }

    /// <summary>From 0, within the stage.</summary>
    public required int Epoch { get; init; }

    /// <summary>The rate of this step, after the schedule.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Mean loss of the batch before the update.</summary>
    public required double LossNats { get; init; }

    /// <summary>Euclidean norm of the raw gradient, before clipping.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>The batch's rows, in batch order.</summary>
    public required IReadOnlyList<string> BatchIds { get; init; }
}
