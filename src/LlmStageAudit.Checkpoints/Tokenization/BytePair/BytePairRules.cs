namespace LlmStageAudit.Checkpoints.Tokenization.BytePair;

/// <summary>A byte-pair model as its file states it.</summary>
internal sealed record BytePairRules
{
    public required Dictionary<string, int> Vocabulary { get; init; }

    public required MergeTable Merges { get; init; }

    /// <summary>Stands for characters outside the vocabulary; without one they are errors.</summary>
    public int? UnknownId { get; init; }

    /// <summary>A run of unknown characters is one unknown token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Characters outside the vocabulary are spelled with tokens like &lt;0xE2&gt;.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>A piece that is a token as a whole is not built from merges.</summary>
    public bool IgnoreMerges { get; init; }
}
