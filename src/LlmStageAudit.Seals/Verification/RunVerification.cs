namespace LlmStageAudit.Seals.Verification;

/// <summary>What a check of a run found.</summary>
/// <param name="Coverage">How much of the run is sealed at all.</param>
/// <param name="Stages">Stages that are sealed, and stages that the run has.</param>
/// <param name="SealSha256">
/// Of the whole seal; null where it cannot be read. Who notes it down elsewhere can tell the run from any other.
/// </param>
/// <param name="Records">Records of completed stages that are as they were written.</param>
/// <param name="InputsChecked">Input files that were there and were compared.</param>
/// <param name="InputsAbsent">Input files that are not on this machine.</param>
/// <param name="Findings">Empty: nothing was changed.</param>
/// <param name="Notes">What is no finding and should be known.</param>
public sealed record RunVerification(
    SealCoverage Coverage,
    (int Sealed, int Total) Stages,
    string? SealSha256,
    int Records,
    int InputsChecked,
    IReadOnlyList<string> InputsAbsent,
    IReadOnlyList<RunFinding> Findings,
    IReadOnlyList<string> Notes)
{
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

/// <summary>Something in a run that is not as it was sealed.</summary>
/// <param name="File">Within the run folder with forward slashes; of an input its whole path.</param>
/// <param name="Record">The record of a log, from 1 in the order they were written; null where none is concerned.</param>
/// <param name="Field">The manifest's field, or the seal in the seal's history; null where none is concerned.</param>
/// <param name="Kind">In a word.</param>
/// <param name="Message">In a sentence, without the file.</param>
public sealed record RunFinding(string File, int? Record, string? Field, FindingKind Kind, string Message)
{
    /// <summary>On one line, the file first.</summary>
    public override string ToString() => $"{File}: {Message}";
}

/// <summary>What was done to a file or a record, as far as it shows.</summary>
public enum FindingKind
{
    /// <summary>Other bytes than were sealed.</summary>
    Changed,

    /// <summary>A file is gone.</summary>
    Missing,

    /// <summary>A record was taken out of a log.</summary>
    Removed,

    /// <summary>A record stands in a log twice.</summary>
    Duplicated,

    /// <summary>Records of a log are not in their order.</summary>
    Reordered,

    /// <summary>A log ends too early.</summary>
    Truncated,

    /// <summary>A log goes on after its last record.</summary>
    Appended,

    /// <summary>Something that belongs elsewhere.</summary>
    Foreign,

    /// <summary>A file among the sealed ones that no seal knows.</summary>
    Unpinned,

    /// <summary>A completed run, or a stage of one, that no seal covers.</summary>
    Unsealed,

    /// <summary>A file is there and cannot be read.</summary>
    Unreadable,

    /// <summary>Computing it again gives something else.</summary>
    NotReproduced,

    /// <summary>The signature is absent where one was asked for, or does not hold.</summary>
    Signature,
}
