namespace LlmStageAudit.Records.Runs;

public enum StageState
{
    Pending,
    Running,
    Completed,
}
