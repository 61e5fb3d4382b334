using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Progress;

/// <summary>Saved progress of a computation that cannot be gone on with.</summary>
public sealed class ProgressException : InvalidInputException
{
    private const string Expected = "progress as it was saved";

    private static string Remedy => $"begin anew without {Setting.Resuming}";

    private ProgressException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    internal static ProgressException Damaged(string path, string found) =>
        new(Sentence(path, found, Expected, Remedy));

    internal static ProgressException Unreadable(string path, Exception inner) =>
        new(Sentence(path, $"cannot be read ({inner.Message})", Expected, Remedy), inner);

    /// <summary>Something the computation needs is not among what was saved.</summary>
    /// <param name="where">The file.</param>
    /// <param name="name">The list that was looked for.</param>
    public static ProgressException Missing(string where, string name) =>
        new(Sentence(where, $"'{name}' is missing or of another size", Expected, Remedy));
}
