using LlmStageAudit.Seals.Verification;

namespace LlmStageAudit.Seals.Findings;

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
