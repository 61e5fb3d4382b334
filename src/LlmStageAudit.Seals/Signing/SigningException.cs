using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Seals.Signing;

/// <summary>A seal that cannot be signed, or a signature that cannot be looked at.</summary>
public sealed class SigningException : AuditException
{
    private SigningException(ErrorKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    /// <inheritdoc/>
    public override ErrorKind Kind { get; }

    internal static SigningException NoProgram(string program, Exception inner) =>
        new(
            ErrorKind.Failure,
            Sentence(program, $"cannot be started ({inner.Message})", "OpenSSH's key program on the PATH", "install openssh-client"),
            inner);

    internal static SigningException NoKey(string path) =>
        new(ErrorKind.Request, Sentence(
            path, "no such file", "an SSH key, or its .pub where an agent holds it", $"check {Setting.SigningKey}"));

    internal static SigningException Refused(string key, string said) =>
        new(ErrorKind.Failure, Sentence(key, $"ssh-keygen could not sign with it ({said})", "a key that can be used", Remedy(said)));

    internal static SigningException OtherKey(string key, string found) =>
        new(ErrorKind.Request, Sentence(key, $"a key of type {found}", "an ed25519 key", "make one with: ssh-keygen -t ed25519"));

    /// <summary>A run is to be signed that is not completed.</summary>
    public static SigningException NotWhole(string run) =>
        new(ErrorKind.Input, Sentence(
            run, "the run is not completed", "a sealed, completed run", $"finish it with {Setting.ResumedTraining}"));

    private static string? Remedy(string said) => said switch
    {
        _ when said.Contains("passphrase", StringComparison.Ordinal) =>
            "give the passphrase at a terminal, or load the key into an agent (ssh-add) and give its .pub",
        _ when said.Contains("too open", StringComparison.Ordinal) || said.Contains("UNPROTECTED", StringComparison.Ordinal) =>
            "keep the key to yourself: chmod 600",
        _ => null,
    };
}
