using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Seals.Logs;

namespace LlmStageAudit.Seals;

/// <summary>A seal as read, and what is wrong with it.</summary>
/// <param name="Seal">Null where the file is no seal at all.</param>
/// <param name="Sound">The seals of the history whose own digest holds, in order.</param>
/// <param name="Faults">One per damage, in words; empty: the seal is as it was written.</param>
internal sealed record SealReading(RunSeal? Seal, IReadOnlyList<SealEntry> Sound, IReadOnlyList<SealFault> Faults);

/// <summary>One damage of a seal.</summary>
/// <param name="Entry">The sequence number of the seal that is concerned; null: the file as a whole.</param>
/// <param name="Found">In words.</param>
internal sealed record SealFault(int? Entry, string Found);

/// <summary>Reads a seal and checks it against itself: digests, chain and spelling.</summary>
internal static class SealFile
{
    /// <summary>Reads a seal; what is wrong with it is told, not thrown.</summary>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    public static SealReading Read(string path)
    {
        var bytes = ForeignFile.ReadText(path, ArtifactJson.MaximumSizeBytes);
        RunSeal seal;
        try
        {
            seal = ArtifactJson.Read<RunSeal>(path);
        }
        catch (ArtifactException exception)
        {
            return new SealReading(null, [], [new SealFault(null, $"it cannot be read as a seal ({Reason(exception.Message, path)})")]);
        }

        var faults = new List<SealFault>();
        var sound = new List<SealEntry>();
        var previous = SealDigest.Genesis(seal.RunId);
        foreach (var (index, entry) in seal.Seals.Index())
        {
            var found = FaultOf(entry, index + 1, previous);
            if (found is not null) faults.Add(new SealFault(index + 1, found));
            if (SealDigest.Of(entry) == entry.Sha256 && entry.Sequence == index + 1 && IsUsable(entry)) sound.Add(entry);
            previous = entry.Sha256 ?? "";
        }

        if (seal.Sequence != seal.Seals.Count)
            faults.Add(new SealFault(null, $"it says {seal.Sequence} seals and holds {seal.Seals.Count}"));
        if (faults.Count == 0 && SealDigest.Of(seal) != seal.Sha256)
            faults.Add(new SealFault(null, "its digest does not match its content"));
        if (faults.Count == 0 && ShapeFault(seal) is { } shape) faults.Add(new SealFault(null, shape));
        if (faults.Count == 0 && !SealDigest.FileBytes(seal).AsSpan().SequenceEqual(bytes))
            faults.Add(new SealFault(null, "it is spelled otherwise than it was written"));
        return new SealReading(seal, sound, faults);
    }

    private static string? FaultOf(SealEntry entry, int sequence, string previous)
    {
        if (entry.Sequence != sequence) return $"seal {entry.Sequence} stands where seal {sequence} must stand";
        if (SealDigest.Of(entry) != entry.Sha256) return "its digest does not match its content";
        if (entry.PreviousSha256 != previous)
            return sequence == 1 ? "it does not belong to this run's id" : $"it does not follow seal {sequence - 1}";
        return IsUsable(entry) ? null : "it names files outside the run folder, or a log that cannot be";
    }

    private static bool IsUsable(SealEntry entry) => SealPaths.AreSafe(entry) && SealedLogs.IsWhole(entry.Log);

    private static string? ShapeFault(RunSeal seal)
    {
        for (var i = 0; i < seal.Seals.Count; i++)
        {
            var entry = seal.Seals[i];
            var isFirst = i == 0;
            var isWellPlaced = entry.Scope switch
            {
                SealScope.Start => isFirst,
                SealScope.Stage => !isFirst && entry.StageIndex == i - 1 && entry is { Stage: not null, Log: not null },
                _ => !isFirst && i == seal.Seals.Count - 1,
            };
            if (!isWellPlaced) return $"seal {i + 1} is not in its place";
        }

        return seal.Seals.Count == 0 ? "it holds no seal" : null;
    }

    public static string Reason(string message, string path) =>
        message.StartsWith(path, StringComparison.Ordinal) ? message[path.Length..].TrimStart(':', ' ', ',') : message;
}

/// <summary>Checks what a seal says of a log before anything relies on it.</summary>
internal static class SealedLogs
{
    public static bool IsHash(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);

    public static bool IsWhole(SealedLog? log) => log is null
        || (log is { Records: >= 0, SizeBytes: >= 0, GradientBytes: >= 0, MarkInterval: >= 1 }
            && log.Marks.Count == log.Records / log.MarkInterval && log.Marks.Append(log.HeadSha256).All(IsHash));
}
