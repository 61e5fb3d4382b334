namespace LlmStageAudit.Artifacts.Runs;

public enum StageState
{
    Pending,
    Running,
    Completed,
}
