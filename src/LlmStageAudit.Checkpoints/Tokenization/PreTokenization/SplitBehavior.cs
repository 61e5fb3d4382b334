namespace LlmStageAudit.Checkpoints.Tokenization.PreTokenization;

/// <summary>What becomes of the matches a text is split at.</summary>
internal enum SplitBehavior
{
    /// <summary>Matches are dropped.</summary>
    Removed,

    /// <summary>Each match is a piece of its own.</summary>
    Isolated,

    /// <summary>A match joins the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>A match joins the piece after it.</summary>
    MergedWithNext,

    /// <summary>Adjoining matches are one piece.</summary>
    Contiguous,
}
