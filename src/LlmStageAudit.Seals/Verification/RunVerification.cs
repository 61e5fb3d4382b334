using LlmStageAudit.Seals.Findings;

namespace LlmStageAudit.Seals.Verification;

/// <summary>What a check of a run found.</summary>
public sealed record RunVerification
{
    /// <summary>How much of the run is sealed at all.</summary>
    public required SealCoverage Coverage { get; init; }

    /// <summary>Stages that are sealed, and stages that the run has.</summary>
    public required (int Sealed, int Total) Stages { get; init; }

    /// <summary>Of the whole seal; null where it cannot be read. Who notes it down elsewhere can tell the run from any other.</summary>
    public string? SealSha256 { get; init; }

    /// <summary>Records of completed stages that are as they were written.</summary>
    public required int Records { get; init; }

    /// <summary>Input files that were there and were compared.</summary>
    public required int InputsChecked { get; init; }

    /// <summary>Input files that are not on this machine.</summary>
    public required IReadOnlyList<string> InputsAbsent { get; init; }

    /// <summary>Empty: nothing was changed.</summary>
    public required IReadOnlyList<RunFinding> Findings { get; init; }

    /// <summary>What is no finding and should be known.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Whether nothing was found.</summary>
    public bool IsIntact => Findings.Count == 0;
}

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
