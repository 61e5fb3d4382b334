using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Tampering;

/// <summary>
/// Signatures of seals: made with ssh-keygen, checked by us and by ssh-keygen alone, and refused for every reason there is.
/// </summary>
public sealed class SignTests : IClassFixture<TamperedRun>, IDisposable
{
    private const string Me = "auditor@example.org";

    private readonly TamperedRun _run;
    private readonly TemporaryFolder _keys = new();

    public SignTests(TamperedRun run)
    {
        _run = run;
        _run.Restore();
    }

    [SshFact]
    public void A_signed_run_is_signed_by_whom_the_signers_file_says()
    {
        var said = Sign();
        Assert.Equal(_run.At("seal.json.sig"), said.Text("signature"));
        Assert.StartsWith("ssh-ed25519 SHA256:", said.Text("key"), StringComparison.Ordinal);
        var verified = CommandLine.Json("verify-log", _run.At(), "--signers", Signers(said.Text("allowedSigner")), "--identity", Me);
        Assert.True(verified.GetProperty("intact").GetBoolean());
        Assert.Equal(("trusted", Me), (verified.GetProperty("signature").Text("status"), verified.GetProperty("signature").Text("signer")));
        Assert.Equal(said.Text("key"), verified.GetProperty("signature").Text("key"));

        // The identity need not be said: the file knows whose key it is.
        var found = CommandLine.Json("verify-log", _run.At(), "--signers", Signers(said.Text("allowedSigner")));
        Assert.Equal(Me, found.GetProperty("signature").Text("signer"));
        Assert.Contains(
            $"signed by {Me} with",
            CommandLine.Succeed("verify-log", _run.At(), "--signers", Signers(said.Text("allowedSigner"))).Output,
            StringComparison.Ordinal);
        var unasked = CommandLine.Json("verify-log", _run.At());
        Assert.Equal("valid", unasked.GetProperty("signature").Text("status"));
    }

    [SshFact]
    public void Ssh_keygen_alone_checks_the_signature_and_agrees_on_the_key()
    {
        var said = Sign();
        var signers = Signers(said.Text("allowedSigner"));
        string[] arguments = ["-Y", "verify", "-f", signers, "-I", Me, "-n", "stageaudit", "-s", _run.At("seal.json.sig")];
        Assert.Equal(0, SshKeys.Run("ssh-keygen", arguments, _run.At("seal.json")).ExitCode);
        Assert.NotEqual(0, SshKeys.Run("ssh-keygen", arguments, _run.At("manifest.json")).ExitCode);
        var listed = SshKeys.Run("ssh-keygen", ["-l", "-f", _keys.At("key.pub")]).Output;
        Assert.Contains(said.Text("key").Split(' ')[1], listed, StringComparison.Ordinal);
    }

    [SshFact]
    public void Our_check_takes_a_signature_that_ssh_keygen_alone_made()
    {
        SshKeys.Make(_keys.At("key"));
        Assert.Equal(
            0,
            SshKeys.Run("ssh-keygen", ["-Y", "sign", "-f", _keys.At("key"), "-n", "stageaudit", _run.At("seal.json")]).ExitCode);
        Assert.Equal("valid", CommandLine.Json("verify-log", _run.At(), "--signature").GetProperty("signature").Text("status"));

        Assert.Equal(0, SshKeys.Run("ssh-keygen", ["-Y", "sign", "-f", _keys.At("key"), "-n", "file", _run.At("manifest.json")]).ExitCode);
        File.Move(_run.At("manifest.json.sig"), _run.At("seal.json.sig"), overwrite: true);
        Refuse("it was made for 'file', not for 'stageaudit'", "verify-log", _run.At());
    }

    [Fact]
    public void An_unsigned_run_says_so_and_fails_only_where_a_signature_is_asked_for()
    {
        Assert.Contains("not signed", CommandLine.Succeed("verify-log", _run.At()).Output, StringComparison.Ordinal);
        Assert.Equal("unsigned", CommandLine.Json("verify-log", _run.At()).GetProperty("signature").Text("status"));
        Refuse("the seal is not signed", "verify-log", _run.At(), "--signature");
    }

    [SshFact]
    public void A_seal_made_anew_around_a_changed_run_does_not_fit_its_signature()
    {
        Sign();
        // Everything a forger without the key can do: another run in the place of this one, sealed as it should be.
        foreach (var name in _run.Names) File.Copy(_run.Other(name), _run.At(name), overwrite: true);
        Refuse("it does not fit the seal", "verify-log", _run.At());
        File.Delete(_run.At("seal.json.sig"));
        Assert.True(CommandLine.Json("verify-log", _run.At()).GetProperty("intact").GetBoolean());
    }

    [SshFact]
    public void Another_signer_is_not_the_one_who_was_asked_for()
    {
        var said = Sign();
        var other = File.ReadAllText(SshKeys.Make(_keys.At("other")) + ".pub").Split(' ');
        var line = $"{Me} {other[0]} {other[1]}";
        Refuse("does not list", "verify-log", _run.At(), "--signers", Signers(line));
        Refuse($"does not list for '{Me}'", "verify-log", _run.At(), "--signers", Signers(line), "--identity", Me);
        Refuse(
            "does not list for 'someone'",
            "verify-log", _run.At(), "--signers", Signers(said.Text("allowedSigner")), "--identity", "someone");
        Refuse("does not list", "verify-log", _run.At(), "--signers", Signers("no such line"));
    }

    [SshFact]
    public void What_is_no_signature_is_said_to_be_none()
    {
        File.WriteAllText(_run.At("seal.json.sig"), "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n");
        Refuse("it is no SSH signature", "verify-log", _run.At());
        Sign();
        var lines = File.ReadAllLines(_run.At("seal.json.sig"));
        lines[^3] = new string(lines[^3].Reverse().ToArray());
        File.WriteAllLines(_run.At("seal.json.sig"), lines);
        Refuse("it", "verify-log", _run.At());
    }

    [SshFact]
    public void Keys_that_cannot_sign_are_refused_and_leave_no_signature()
    {
        Fail(2, "no such file", "--key", _keys.At("absent"));
        Fail(2, "a key of type ssh-rsa; expected an ed25519 key", "--key", SshKeys.Make(_keys.At("rsa"), "rsa"));
        Fail(1, "ssh-keygen could not sign with it", "--key", _keys.Write("garbage", "not a key"));
        if (!OperatingSystem.IsWindows())
        {
            var open = SshKeys.Make(_keys.At("open"));
            File.SetUnixFileMode(open, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
            Fail(1, "chmod 600", "--key", open);
        }

        if (!OperatingSystem.IsWindows())
        {
            var (log, key) = (_run.At("manifest.json"), SshKeys.Make(_keys.At("good")));
            var before = File.GetUnixFileMode(log);
            File.SetUnixFileMode(log, before | UnixFileMode.OtherWrite);
            Fail(3, "every user of this machine may write it (manifest.json)", "--key", key);
            File.SetUnixFileMode(log, before);
        }

        Fail(2, "--identity", "--key", SshKeys.Make(_keys.At("key")), "--identity", "two words");
        Assert.False(File.Exists(_run.At("seal.json.sig")));
    }

    [SshFact]
    public void A_missing_ssh_keygen_is_named()
    {
        var key = SshKeys.Make(_keys.At("key"));
        Sign();
        var path = Environment.GetEnvironmentVariable("PATH");
        try
        {
            Environment.SetEnvironmentVariable("PATH", _keys.Path);
            Fail(1, "install openssh-client", "--key", key);
            Assert.Equal("unchecked", CommandLine.Json("verify-log", _run.At()).GetProperty("signature").Text("status"));
            var demanded = CommandLine.Run("verify-log", _run.At(), "--signature");
            Assert.Equal(1, demanded.ExitCode);
            Assert.Contains("install openssh-client", demanded.Error, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("PATH", path);
        }
    }

    [SshFact]
    public void A_changed_run_and_an_unfinished_one_are_not_signed()
    {
        var key = SshKeys.Make(_keys.At("key"));
        File.AppendAllText(_run.At("initial", "adapter_config.json"), " ");
        var outcome = CommandLine.Run("sign", _run.At(), "--key", key);
        Assert.Equal(4, outcome.ExitCode);
        Assert.Contains("initial/adapter_config.json: it was changed", outcome.Error, StringComparison.Ordinal);

        _run.Restore();
        _run.EditJson("manifest.json", manifest => manifest["state"] = "running");
        Fail(3, "the run is not completed", "--key", key);
    }

    [BuiltCommandFact]
    public void A_passphrase_with_nobody_to_ask_ends_at_once()
    {
        if (!SshKeys.IsThere || !File.Exists("/usr/bin/setsid")) return;
        var key = SshKeys.Make(_keys.At("secret"), passphrase: "correct horse");
        // A session of its own has no terminal to ask at.
        var (code, _, error) = SshKeys.Run("setsid", ["--wait", "dotnet", BuiltCommand.Path, "sign", _run.At(), "--key", key]);
        Assert.Equal(1, code);
        Assert.Contains("passphrase", error, StringComparison.Ordinal);
        Assert.Contains("ssh-add", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_do_not_fit_are_usage_errors()
    {
        Assert.Equal(2, CommandLine.Run("verify-log", _run.At(), "--identity", Me).ExitCode);
        Assert.Equal(2, CommandLine.Run("verify-log", _run.At(), "--signers", _keys.At("absent")).ExitCode);
        Assert.Equal(2, CommandLine.Run("sign", _run.At()).ExitCode);
        Assert.Equal(3, CommandLine.Run("verify-log", _keys.Path).ExitCode);
    }

    public void Dispose()
    {
        _run.Restore();
        _keys.Dispose();
    }

    private System.Text.Json.JsonElement Sign()
    {
        var key = File.Exists(_keys.At("key")) ? _keys.At("key") : SshKeys.Make(_keys.At("key"));
        return CommandLine.Json("sign", _run.At(), "--key", key, "--identity", Me);
    }

    private string Signers(string line) => _keys.Write("allowed_signers", line + "\n");

    private static void Refuse(string expected, params string[] args)
    {
        var outcome = CommandLine.Run([.. args, "--json"]);
        Assert.Equal(4, outcome.ExitCode);
        var finding = TamperFinding.Of(Assert.Single(outcome.Json.List("findings")));
        Assert.Equal(("seal.json.sig", "signature"), (finding.File, finding.Kind));
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    private void Fail(int code, string expected, params string[] args)
    {
        var outcome = CommandLine.Run(["sign", _run.At(), .. args]);
        Assert.Equal(code, outcome.ExitCode);
        Assert.Contains(expected, Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }
}
