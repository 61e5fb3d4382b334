using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>Says that a run was computed by another engine than the one at hand, wherever bits are compared or continued.</summary>
internal static class EngineNotes
{
    /// <returns>In what they differ; empty: nothing.</returns>
    public static string[] Write(VerbContext context, RunManifest run)
    {
        var differences = RunEngine.Differences(run, context.Device);
        if (differences.Length > 0)
        {
            context.Warn(
                "the run was computed by another engine, so that results agree to rounding "
                + $"and not bit for bit: {string.Join("; ", differences)}");
        }

        return differences;
    }
}
