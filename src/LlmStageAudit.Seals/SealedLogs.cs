using LlmStageAudit.Seals.Logs;

namespace LlmStageAudit.Seals;

/// <summary>Checks what a seal says of a log before anything relies on it.</summary>
internal static class SealedLogs
{
    public static bool IsHash(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);

    public static bool IsWhole(SealedLog? log) => log is null
        || (log is { Records: >= 0, SizeBytes: >= 0, GradientBytes: >= 0, MarkInterval: >= 1 }
            && log.Marks.Count == log.Records / log.MarkInterval && log.Marks.Append(log.HeadSha256).All(IsHash));
}
