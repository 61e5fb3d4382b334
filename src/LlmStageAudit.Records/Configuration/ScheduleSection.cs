namespace LlmStageAudit.Records.Configuration;

/// <summary>The learning rate's curve within one stage.</summary>
public sealed record ScheduleSection
{
    /// <summary>The curve after the warm-up.</summary>
    public ScheduleName Name { get; init; } = ScheduleName.Constant;

    /// <summary>
    /// Share of the stage's steps in which the rate rises on a line from zero; 0 where <see cref="WarmupSteps"/> says how many.
    /// </summary>
    public double WarmupRatio { get; init; }

    /// <summary>Steps in which the rate rises on a line from zero; null where <see cref="WarmupRatio"/> says their share.</summary>
    public int? WarmupSteps { get; init; }
}

/// <summary>How the learning rate runs over the steps of one stage, after its warm-up.</summary>
public enum ScheduleName
{
    /// <summary>Stays at the optimizer's rate.</summary>
    Constant,

    /// <summary>Falls on a line to zero at the stage's end.</summary>
    Linear,

    /// <summary>Falls on half a cosine to zero at the stage's end.</summary>
    Cosine,
}
