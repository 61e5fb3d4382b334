namespace LlmStageAudit.Records.Runs;

/// <summary>What state a run began with.</summary>
public enum RunStartKind
{
    /// <summary>The state its own configuration makes.</summary>
    Initial,

    /// <summary>The state of another run at the end of one of its stages.</summary>
    Checkpoint,
}
