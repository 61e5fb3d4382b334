using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Seals.Signing;
using LlmStageAudit.Seals.Verification;
using LlmStageAudit.Training.Runs;
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
        var path = context.Get(RunOptions.Run);
        if (context.Get(s_identity) is not null && context.Get(s_signers) is null)
            throw ConfigurationException.At("--identity", "given without --signers", "the file that says which keys are whose");
        if (context.Get(s_replay) < 0) throw ConfigurationException.At("--replay", $"{context.Get(s_replay)}", "0 or more");
        var folder = RunFolder.OpenSealed(path);
        var verification = RunVerifier.Verify(folder, context.Get(s_inputs), context.Cancellation);
        var signature = SealSignature.Verify(folder, context.Get(s_signers), context.Get(s_identity), context.Get(s_signature));
        var replay = context.Get(s_replay) > 0 && verification.IsIntact ? Replay(context, path) : null;
        RunFinding[] findings = [.. verification.Findings, .. signature.Findings, .. replay?.Findings ?? []];
        var isIntact = findings.Length == 0;
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
                Findings = findings,
            },
            () =>
            {
                context.Out.WriteLine($"{verification.Records} records, {(isIntact ? "intact" : "NOT intact")}");
                PrintSeal(context, verification, signature);
                PrintReplay(context, verification, replay);
                foreach (var note in verification.Notes) context.Note(note);
                foreach (var input in verification.InputsAbsent) context.Note($"not here, not checked: {input}");
                foreach (var finding in findings) context.Error.WriteLine(finding);
            });
        return isIntact ? ExitCode.Done : ExitCode.GateFailed;
    }

    private static ReplayVerification Replay(VerbContext context, string path)
    {
        using var run = TrainedRun.Open(path, context.Device);
        context.Host.WarnOfOtherEngine(run.Manifest);
        return RunReplay.Verify(run, context.Get(s_replay), context.Get(s_seed), context.Cancellation);
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

    private static void PrintReplay(VerbContext context, RunVerification verification, ReplayVerification? replay)
    {
        if (replay is not null)
        {
            context.Out.WriteLine(
                $"{replay.Replayed} steps executed again, worst relative gradient error {Numbers.Plain(replay.WorstGradientError ?? 0)} "
                + $"(rounding: up to {Numbers.Plain(replay.GradientTolerance)})");
            context.Out.WriteLine(
                $"{replay.StatesReplayed} of {verification.Stages.Total} stage ends made again from the log, "
                + $"worst relative state error {Numbers.Plain(replay.WorstStateError ?? 0)}");
        }
        else if (context.Get(s_replay) > 0)
        {
            context.Warn("nothing was executed again: what was changed would be executed");
        }
    }
}
