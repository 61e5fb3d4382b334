using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Seals;

/// <summary>A run that cannot be sealed or signed, since it is not what its records say.</summary>
public sealed class SealException : AuditException
{
    private const string Restore = "restore it, or train into another run folder; verify-log says what was changed";

    private SealException(ErrorKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    /// <inheritdoc/>
    public override ErrorKind Kind { get; }

    internal static SealException Differs(string path, string found) =>
        new(ErrorKind.Finding, Sentence(path, found, "the run as training left it", Restore));

    internal static SealException Unreadable(string path, Exception inner) =>
        new(ErrorKind.Failure, Sentence(path, $"cannot be read ({inner.Message})", "a file of the run", null), inner);
}
