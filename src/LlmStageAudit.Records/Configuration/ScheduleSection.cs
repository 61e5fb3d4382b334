using LlmStageAudit.Records.Configuration.Yaml;

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

/// <summary>
/// Reads a schedule block over an inherited one. The warm-up is one setting in two units: giving one takes the other away.
/// </summary>
internal static class ScheduleSectionReader
{
    private static readonly string[] Keys = ["name", "warmupRatio", "warmupSteps"];

    public static ScheduleSection Read(ConfigurationBlock parent, ScheduleSection inherited)
    {
        var block = parent.Block("schedule", Keys);
        if (block is null) return inherited;
        var ratio = block.Number("warmupRatio", value => value is >= 0 and <= 1, "a number from 0 to 1");
        var steps = (int?)block.Integer("warmupSteps", 0, int.MaxValue, "a whole number of steps of at least 0");
        if (block.Has("warmupRatio") && block.Has("warmupSteps"))
        {
            block.Fault("warmupSteps", "given beside warmupRatio", "one of the two", "remove one");
        }

        return new ScheduleSection
        {
            Name = block.Choice<ScheduleName>("name") ?? inherited.Name,
            WarmupRatio = ratio ?? (steps is null ? inherited.WarmupRatio : 0),
            WarmupSteps = steps ?? (ratio is null && !block.IsCleared("warmupSteps") ? inherited.WarmupSteps : null),
        };
    }
}
