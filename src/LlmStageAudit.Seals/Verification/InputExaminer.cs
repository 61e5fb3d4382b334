using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Seals.Findings;

namespace LlmStageAudit.Seals.Verification;

/// <summary>Holds the files a run read against the hashes in its manifest.</summary>
internal static class InputExaminer
{
    /// <summary>Compares the files that the run read with what the manifest says of them.</summary>
    /// <param name="inputs">Those whose entries in the manifest are as they were sealed.</param>
    /// <param name="demand">
    /// Whether an absent file is a finding; else it is only named, since runs are checked on other machines too.
    /// </param>
    /// <param name="cancellation">Asked between records or files.</param>
    /// <returns>How many were compared, which are absent, and what is wrong.</returns>
    public static (int Checked, IReadOnlyList<string> Absent, IReadOnlyList<RunFinding> Findings) Examine(
        IEnumerable<InputRecord> inputs, bool demand, CancellationToken cancellation)
    {
        var (compared, absent, findings) = (0, new List<string>(), new List<RunFinding>());
        foreach (var input in inputs)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!File.Exists(input.Path))
            {
                absent.Add(input.Path);
                if (demand)
                    findings.Add(new RunFinding(
                        input.Path, null, null, FindingKind.Missing,
                        $"the {Role(input)} file is not here; its SHA-256 was {input.Sha256} when the run was trained"));
                continue;
            }

            compared++;
            if (Fault(input) is { } fault) findings.Add(fault);
        }

        return (compared, absent, findings);
    }

    private static RunFinding? Fault(InputRecord input)
    {
        try
        {
            var found = ContentHash.OfFile(input.Path);
            return found == input.Sha256 ? null : new RunFinding(
                input.Path, null, null, FindingKind.Changed,
                $"the {Role(input)} file has SHA-256 {found}; it was {input.Sha256} when the run was trained");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new RunFinding(
                input.Path, null, null, FindingKind.Unreadable, $"the {Role(input)} file cannot be read ({exception.Message})");
        }
    }

    private static string Role(InputRecord input) => EnumSpelling<InputRole>.Of(input.Role);
}
