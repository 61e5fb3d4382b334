namespace LlmStageAudit.Seals.Verification;

/// <summary>How much of a run its seal covers.</summary>
public enum SealCoverage
{
    /// <summary>There is none, or it cannot be read.</summary>
    None,

    /// <summary>The run is not finished: everything up to the last completed stage.</summary>
    Partial,

    /// <summary>All of the run, the manifest to the byte.</summary>
    Whole,
}
