namespace LlmStageAudit.Records.Effects;

/// <summary>Whether an effect is more than the choice of rows can bring about.</summary>
public enum Significance
{
    /// <summary>It is.</summary>
    Yes,

    /// <summary>It may be luck, or nothing tested it.</summary>
    No,

    /// <summary>A group or its rest has too few rows of a label for any answer.</summary>
    TooFewRows,
}
