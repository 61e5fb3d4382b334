namespace LlmStageAudit.Records.Trajectories;

/// <summary>What a log's hash chain begins with: it ties the log to its run and stage.</summary>
public static class TrajectoryGenesis
{
    public static string Of(string runId, string stage) => $"{runId}/{stage}";
}
