using System.CommandLine;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Seals.Signing;
using LlmStageAudit.Seals.Verification;
using LlmStageAudit.Training.Verification;

namespace LlmStageAudit.Cli.Verbs;

internal static class VerifyLogVerb
{
    private static readonly Option<int> s_replay =
        new("--replay") { Description = "Also walk the log to every stage's end, and execute this many steps again, chosen at random" };
    private static readonly Option<long> s_seed = new("--seed") { Description = "Of the choice of steps" };
    private static readonly Option<bool> s_inputs =
        new("--inputs") { Description = "Demand the input files: one that is not here is a finding" };
    private static readonly Option<bool> s_signature = new("--signature") { Description = "Demand a signature of the seal" };
    private static readonly Option<string?> s_signers =
        new("--signers") { Description = "Demand a signature by someone in this allowed-signers file (ssh-keygen's)" };
    private static readonly Option<string?> s_identity = new("--identity") { Description = "With --signers: who must have signed" };

    public static Command Build() => Verb.Of(
        "verify-log",
        "Proves that a run is what its training left: every file and log record against the seal, the inputs, the signature. "
            + "Exit code 4 where something was changed.",
        [
            "stageaudit verify-log runs/a",
            "stageaudit verify-log runs/a --replay 5 --inputs",
            "stageaudit verify-log runs/a --signers allowed_signers --identity me@example.org"
        ],
        [RunOptions.Run, s_replay, s_seed, s_inputs, s_signature, s_signers, s_identity, CommonOptions.Device],
        Run);

    private static ExitCode Run(VerbContext context)
    {
        var proof = VerifyLogHop.Run(
            new VerifyLogRequest(context.Get(RunOptions.Run))
            {
                ReplayedSteps = context.Get(s_replay),
                Seed = context.Get(s_seed),
                DemandInputs = context.Get(s_inputs),
                DemandSignature = context.Get(s_signature),
                Signers = context.Get(s_signers),
                Identity = context.Get(s_identity),
            },
            context.Host);
        var (verification, signature, replay) = proof;
        var isIntact = proof.Findings.Count == 0;
        context.Print(
            new
            {
                verification.Records,
                Intact = isIntact,
                Sealed = verification.Coverage,
                SealedStages = verification.Stages.Sealed,
                Stages = verification.Stages.Total,
                verification.SealSha256,
                Replayed = replay?.Replayed ?? 0,
                replay?.WorstGradientError,
                replay?.GradientTolerance,
                StatesReplayed = replay?.StatesReplayed ?? 0,
                replay?.WorstStateError,
                verification.InputsChecked,
                verification.InputsAbsent,
                Signature = new { signature.Status, signature.Signer, signature.Key },
                verification.Notes,
                proof.Findings,
            },
            () =>
            {
                context.Out.WriteLine($"{verification.Records} records, {(isIntact ? "intact" : "NOT intact")}");
                PrintSeal(context, verification, signature);
                if (replay is not null) PrintReplay(context, verification, replay);
                foreach (var note in verification.Notes) context.Note(note);
                foreach (var input in verification.InputsAbsent) context.Note($"not here, not checked: {input}");
                foreach (var finding in proof.Findings) context.Error.WriteLine(finding);
            });
        return isIntact ? ExitCode.Done : ExitCode.GateFailed;
    }

    private static void PrintSeal(VerbContext context, RunVerification verification, SignatureVerification signature)
    {
        context.Out.WriteLine(verification.Coverage switch
        {
            SealCoverage.Whole => $"sealed as a whole: {verification.SealSha256}",
            SealCoverage.Partial => $"sealed in part: {verification.Stages.Sealed} of {verification.Stages.Total} stages",
            _ => "not sealed",
        });
        context.Out.WriteLine(signature.Status switch
        {
            SignatureStatus.Unsigned => "not signed",
            SignatureStatus.Unchecked => $"signed with {signature.Key}; not checked, since there is no ssh-keygen",
            SignatureStatus.Valid => $"signed with {signature.Key}; --signers says whose key that must be",
            SignatureStatus.Trusted => $"signed by {signature.Signer} with {signature.Key}",
            _ => "signed, and the signature does NOT hold",
        });
        context.Out.WriteLine($"{verification.InputsChecked} input files compared, {verification.InputsAbsent.Count} not here");
    }

    private static void PrintReplay(VerbContext context, RunVerification verification, ReplayVerification replay)
    {
        context.Out.WriteLine(
            $"{replay.Replayed} steps executed again, worst relative gradient error {Numbers.Plain(replay.WorstGradientError ?? 0)} "
            + $"(rounding: up to {Numbers.Plain(replay.GradientTolerance)})");
        context.Out.WriteLine(
            $"{replay.StatesReplayed} of {verification.Stages.Total} stage ends made again from the log, "
            + $"worst relative state error {Numbers.Plain(replay.WorstStateError ?? 0)}");
    }
}
