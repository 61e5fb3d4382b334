using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Seals;

/// <summary>
/// A run that cannot be sealed or signed, since it is not what its records say; or a signature that cannot be made or looked at.
/// </summary>
public sealed class SealException : AuditException
{
    private SealException(ErrorKind kind, string where, string found, string expected, string? remedy, Exception? inner = null)
        : base(Sentence(where, found, expected, remedy), inner) => Kind = kind;

    /// <inheritdoc/>
    public override ErrorKind Kind { get; }

    internal static SealException Differs(string path, string found) => new(
        ErrorKind.Finding, path, found, "the run as training left it",
        "restore it, or train into another run folder; verify-log says what was changed");

    internal static SealException Unreadable(string path, Exception inner) =>
        new(ErrorKind.Failure, path, $"cannot be read ({inner.Message})", "a file of the run", null, inner);

    internal static SealException NoProgram(string program, Exception inner) => new(
        ErrorKind.Failure, program, $"cannot be started ({inner.Message})", "OpenSSH's key program on the PATH", "install openssh-client",
        inner);

    internal static SealException NoKey(string path) => new(
        ErrorKind.Request, path, "no such file", "an SSH key, or its .pub where an agent holds it", $"check {Setting.SigningKey}");

    internal static SealException Refused(string key, string said) =>
        new(ErrorKind.Failure, key, $"ssh-keygen could not sign with it ({said})", "a key that can be used", Remedy(said));

    internal static SealException OtherKey(string key, string found) =>
        new(ErrorKind.Request, key, $"a key of type {found}", "an ed25519 key", "make one with: ssh-keygen -t ed25519");

    /// <summary>A run is to be signed that is not what was sealed.</summary>
    public static SealException NotIntact(string run, IEnumerable<object> findings) => new(
        ErrorKind.Finding, run, $"the run is not what was sealed ({string.Join("; ", findings)})", "the run as training left it",
        "not signed; verify-log says what was changed");

    /// <summary>A run is to be signed that is not completed.</summary>
    public static SealException NotWhole(string run) => new(
        ErrorKind.Input, run, "the run is not completed", "a sealed, completed run", $"finish it with {Setting.ResumedTraining}");

    private static string? Remedy(string said) => said switch
    {
        _ when said.Contains("passphrase", StringComparison.Ordinal) =>
            "give the passphrase at a terminal, or load the key into an agent (ssh-add) and give its .pub",
        _ when said.Contains("too open", StringComparison.Ordinal) || said.Contains("UNPROTECTED", StringComparison.Ordinal) =>
            "keep the key to yourself: chmod 600",
        _ => null,
    };
}
