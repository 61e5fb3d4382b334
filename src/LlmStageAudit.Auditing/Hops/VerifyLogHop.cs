using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Seals.Signing;
using LlmStageAudit.Seals.Verification;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Verification;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>Which run is to be proved, and by what.</summary>
/// <param name="Run">Its folder.</param>
public sealed record VerifyLogRequest(string Run)
{
    /// <summary>Steps to compute again, chosen at random; with the first the log is also walked to every stage's end. 0: hashes alone.</summary>
    public int ReplayedSteps { get; init; }

    /// <summary>Of the choice of steps.</summary>
    public long Seed { get; init; }

    /// <summary>An input file that is not on this machine is a finding.</summary>
    public bool DemandInputs { get; init; }

    /// <summary>A seal that is not signed is a finding.</summary>
    public bool DemandSignature { get; init; }

    /// <summary>An allowed-signers file (ssh-keygen's): a signature by nobody in it is a finding. Null: whose key it is does not count.</summary>
    public string? Signers { get; init; }

    /// <summary>Who of the signers must have signed; null: any.</summary>
    public string? Identity { get; init; }
}

/// <summary>What is proved of a run, and what speaks against it.</summary>
/// <param name="Verification">Every file and record against the seal.</param>
/// <param name="Signature">Of the seal.</param>
/// <param name="Replay">The part computed again; null where nothing was.</param>
public sealed record LogProof(RunVerification Verification, SignatureVerification Signature, ReplayVerification? Replay)
{
    /// <summary>All of them; empty: the run is what its training left.</summary>
    public IReadOnlyList<RunFinding> Findings { get; } =
        [.. Verification.Findings, .. Signature.Findings, .. Replay?.Findings ?? []];
}

/// <summary>Run folder -> proof that it is what its training left; nothing is filed.</summary>
public static class VerifyLogHop
{
    /// <summary>Checks; what is not as it was is a finding and no error.</summary>
    /// <exception cref="AuditException">There is no run, or it cannot be read at all.</exception>
    public static LogProof Run(VerifyLogRequest request, WalkHost host)
    {
        if (request is { Identity: not null, Signers: null })
            throw ConfigurationException.At(Setting.Signers, "none, and an identity", "the file that says which keys are whose");
        if (request.ReplayedSteps < 0) throw ConfigurationException.At(Setting.ReplayedSteps, $"{request.ReplayedSteps}", "0 or more");
        var folder = RunFolder.OpenSealed(request.Run);
        var verification = RunVerifier.Verify(folder, request.DemandInputs, host.Cancellation);
        var signature = SealSignature.Verify(folder, request.Signers, request.Identity, request.DemandSignature);
        if (request.ReplayedSteps == 0) return new LogProof(verification, signature, null);
        if (!verification.IsIntact)
        {
            host.Observer.Warn(new Warning("not-replayed", "nothing was executed again: what was changed would be executed"));
            return new LogProof(verification, signature, null);
        }

        using var run = TrainedRun.Open(request.Run, host.Device());
        host.WarnOfOtherEngine(run.Manifest);
        return new LogProof(verification, signature, RunReplay.Verify(run, request.ReplayedSteps, request.Seed, host.Cancellation));
    }
}
