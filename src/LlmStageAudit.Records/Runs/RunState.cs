namespace LlmStageAudit.Records.Runs;

public enum RunState
{
    Running,

    /// <summary>Ended on a signal at a valid checkpoint.</summary>
    Stopped,
    Completed,
}
