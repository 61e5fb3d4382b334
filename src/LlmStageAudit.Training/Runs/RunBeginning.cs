using LlmStageAudit.Records.Runs;

namespace LlmStageAudit.Training.Runs;

/// <summary>What a run says of itself before its first step.</summary>
internal static class RunBeginning
{
    /// <summary>The manifest of a run that has no name yet.</summary>
    public static RunManifest Manifest(RunMaterials materials, RunStart start, IReadOnlyList<InputRecord> inputs)
    {
        var layout = materials.Model.Layout;
        return new RunManifest
        {
            RunId = "",
            CreatedUtc = DateTime.UtcNow,
            ToolVersion = RunEngine.ToolVersion,
            Engine = RunEngine.Describe(materials.Model.Device),
            Configuration = materials.Configuration,
            Inputs = inputs,
            ParameterCount = layout.Count,
            Parameters = [.. layout.Slots.Select(slot => new ParameterRecord { Name = slot.Name, Shape = slot.Shape })],
            Start = start,
            Stages = [.. materials.Programs.Select((program, index) => new StageResult { Name = program.Name, Index = index })],
            Warnings = [.. RunWarnings.Of(materials, start)],
        };
    }

    /// <summary>The start of a run that leaves out a stage of another.</summary>
    /// <param name="materials">The other's.</param>
    /// <param name="runId">The other's.</param>
    /// <param name="path">Where the other lies.</param>
    /// <param name="stage">The place of the stage left out.</param>
    public static RunStart Without(RunMaterials materials, string runId, string path, int stage) => new()
    {
        Kind = RunStartKind.Checkpoint,
        RunId = runId,
        RunPath = path,
        AfterStage = stage == 0 ? null : materials.Programs[stage - 1].Name,
        SkippedStages = [materials.Programs[stage].Name],
    };
}
