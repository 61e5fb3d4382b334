using LlmStageAudit.Records.Configuration.Yaml;

namespace LlmStageAudit.Records.Configuration;

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
