using System.Text;
using System.Text.Json;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Seals;

/// <summary>A seal as read, and what is wrong with it.</summary>
/// <param name="Seal">Null where the file is no seal at all.</param>
/// <param name="Sound">The seals of the history whose own digest holds, in order.</param>
/// <param name="Fault">The first damage, in words; null: the seal is as it was written.</param>
internal sealed record SealReading(RunSeal? Seal, IReadOnlyList<SealEntry> Sound, string? Fault);

/// <summary>Digests of seals, SHA-256 over their one-line JSON as lower-case hexadecimal; and what a seal's file holds.</summary>
internal static class SealFile
{
    /// <summary>What the first seal of a run is chained to.</summary>
    public static string Genesis(string runId) => ContentHash.OfBytes(Encoding.UTF8.GetBytes($"stageaudit seal/{runId}"));

    public static string DigestOf<T>(T value) =>
        ContentHash.OfBytes(JsonSerializer.SerializeToUtf8Bytes(value, ArtifactJson.CompactOptions));

    public static SealEntry Close(SealEntry entry) => entry with { Sha256 = DigestOf(entry with { Sha256 = null }) };

    public static RunSeal Close(RunSeal seal) => seal with { Sha256 = DigestOf(seal with { Sha256 = null }) };

    /// <summary>The one spelling of a record in a file.</summary>
    public static byte[] BytesOf<T>(T record) => [.. JsonSerializer.SerializeToUtf8Bytes(record, ArtifactJson.Options), (byte)'\n'];

    /// <summary>Reads a seal and checks it against itself: digests, chain and spelling. A damage is told, not thrown.</summary>
    public static SealReading Read(string path)
    {
        byte[] bytes;
        RunSeal seal;
        try
        {
            bytes = ForeignFile.ReadText(path, ArtifactJson.MaximumSizeBytes);
            seal = ArtifactJson.Read<RunSeal>(path);
        }
        catch (Exception exception) when (exception is ArtifactException or IOException or UnauthorizedAccessException)
        {
            return new SealReading(null, [], $"it cannot be read as a seal ({Reason(exception, path)})");
        }

        string? fault = null;
        var sound = new List<SealEntry>();
        var previous = Genesis(seal.RunId);
        foreach (var (index, entry) in seal.Seals.Index())
        {
            var own = OwnFault(entry, index + 1);
            if (own is null) sound.Add(entry);
            if (own is null && entry.PreviousSha256 != previous)
                own = index == 0 ? "it does not belong to this run's id" : $"it does not follow seal {index}";
            if (own is not null) fault ??= $"seal {index + 1}: {own}";
            previous = entry.Sha256 ?? "";
        }

        return new SealReading(seal, sound, fault ?? WholeFault(seal, bytes));
    }

    /// <summary>An error's message without the path it begins with.</summary>
    public static string Reason(Exception exception, string path) => exception.Message.StartsWith(path, StringComparison.Ordinal)
        ? exception.Message[path.Length..].TrimStart(':', ' ', ',')
        : exception.Message;

    private static string? OwnFault(SealEntry entry, int sequence)
    {
        if (entry.Sequence != sequence) return $"seal {entry.Sequence} stands where seal {sequence} must stand";
        if (Close(entry).Sha256 != entry.Sha256) return "its digest does not match its content";
        return entry.IsUsable() ? null : "it names files outside the run folder, or a log that cannot be";
    }

    private static string? WholeFault(RunSeal seal, byte[] bytes)
    {
        if (seal.Sequence != seal.Seals.Count) return $"it says {seal.Sequence} seals and holds {seal.Seals.Count}";
        if (Close(seal).Sha256 != seal.Sha256) return "its digest does not match its content";
        if (seal.Seals.Count == 0) return "it holds no seal";
        foreach (var (index, entry) in seal.Seals.Index())
        {
            var isInPlace = entry.Scope switch
            {
                SealScope.Start => index == 0,
                SealScope.Stage => index > 0 && entry is { Stage: not null, Log: not null } && entry.StageIndex == index - 1,
                _ => index > 0 && index == seal.Seals.Count - 1,
            };
            if (!isInPlace) return $"seal {index + 1} is not in its place";
        }

        return BytesOf(seal).AsSpan().SequenceEqual(bytes) ? null : "it is spelled otherwise than it was written";
    }
}
