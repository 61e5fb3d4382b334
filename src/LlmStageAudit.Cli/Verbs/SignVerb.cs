using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Seals;
using LlmStageAudit.Seals.Signing;
using LlmStageAudit.Seals.Verification;

namespace LlmStageAudit.Cli.Verbs;

internal static class SignVerb
{
    private const string DefaultIdentity = "signer";

    private static readonly Option<string> s_key =
        new("--key") { Description = "An ed25519 SSH key, or its .pub where an agent holds the key", Required = true };
    private static readonly Option<string?> s_identity =
        new("--identity") { Description = "What to call the signer in the printed allowed-signers line" };

    public static Command Build() => Verb.Of(
        "sign",
        "Signs a completed run's seal with an SSH key, into seal.json.sig. Checks the run first.",
        ["stageaudit sign runs/a --key ~/.ssh/id_ed25519", "stageaudit sign runs/a --key ~/.ssh/id_ed25519.pub --identity me@example.org"],
        [RunOptions.Run, s_key, s_identity],
        Run);

    private static ExitCode Run(VerbContext context)
    {
        var path = context.Get(RunOptions.Run);
        var identity = context.Get(s_identity) ?? DefaultIdentity;
        if (identity.Length == 0
                || !identity.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_' or '@' or '+'))
            throw ConfigurationException.At(
                "--identity", $"'{identity}'", "letters, digits, '.', '-', '_', '+' and '@', such as a mail address");
        var folder = RunFolder.OpenSealed(path);
        var verification = RunVerifier.Verify(folder, demandInputs: false, context.Cancellation);
        if (!verification.IsIntact)
        {
            foreach (var finding in verification.Findings) context.Error.WriteLine(finding);
            context.Error.WriteLine($"error: {path}: not signed, since the run is not what was sealed");
            return ExitCode.GateFailed;
        }

        if (verification.Coverage != SealCoverage.Whole) throw SealException.NotWhole(path);
        var signature = SealSignature.Sign(folder, context.Get(s_key)!);
        var line = SealSignature.AllowedSigner(signature, identity);
        var key = $"{signature.KeyType} {signature.Fingerprint}";
        context.Print(new { Signature = folder.SignaturePath, verification.SealSha256, Key = key, AllowedSigner = line }, () =>
        {
            context.Out.WriteLine($"{folder.SignaturePath}: {key}");
            context.Note("Whoever is to check it needs this line in an allowed-signers file, from you and not from this folder:");
            context.Note(line);
        });
        return ExitCode.Done;
    }
}
