namespace LlmStageAudit.Seals;

/// <summary>What a seal closes.</summary>
public enum SealScope
{
    /// <summary>The beginning: the initial state, and everything in the manifest that training does not change.</summary>
    Start,

    /// <summary>The end of one stage.</summary>
    Stage,

    /// <summary>The end of the run, after which nothing in it changes any more.</summary>
    Run,
}
