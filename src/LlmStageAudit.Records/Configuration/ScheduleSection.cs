namespace LlmStageAudit.Records.Configuration;

public sealed record ScheduleSection
{
    public ScheduleName Name { get; init; } = ScheduleName.Constant;

    /// <summary>
    /// Share of the stage's steps in which the rate rises on a line from zero; 0 where <see cref="WarmupSteps"/> says how many.
    /// </summary>
    public double WarmupRatio { get; init; }

    public int? WarmupSteps { get; init; }
}
