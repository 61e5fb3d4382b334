using System.CommandLine;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;

namespace LlmStageAudit.Cli.Verbs;

internal static class SignVerb
{
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

    private static void Run(VerbContext context)
    {
        var request = new SignRequest(context.Get(RunOptions.Run), context.Get(s_key)!);
        var signed = SignHop.Run(
            context.Get(s_identity) is { } identity ? request with { Identity = identity } : request, context.Host);
        context.Print(new { Signature = signed.Path, signed.SealSha256, signed.Key, signed.AllowedSigner }, () =>
        {
            context.Out.WriteLine($"{signed.Path}: {signed.Key}");
            context.Note("Whoever is to check it needs this line in an allowed-signers file, from you and not from this folder:");
            context.Note(signed.AllowedSigner);
        });
    }
}
