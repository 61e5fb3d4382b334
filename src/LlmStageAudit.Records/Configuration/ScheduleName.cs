namespace LlmStageAudit.Records.Configuration;

/// <summary>How the learning rate runs over the steps of one stage, after its warm-up.</summary>
public enum ScheduleName
{
    Constant,

    /// <summary>Falls on a line to zero at the stage's end.</summary>
    Linear,

    /// <summary>Falls on half a cosine to zero at the stage's end.</summary>
    Cosine,
}
