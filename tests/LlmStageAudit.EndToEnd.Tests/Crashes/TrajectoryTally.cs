using System.Buffers.Binary;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>Counts whole records by the lengths in their framing alone, independently of the code under test.</summary>
internal static class TrajectoryTally
{
    private const int Preamble = 16;
    private const int Framing = 16;
    private const int Hash = 32;

    /// <summary>How many whole records two logs have in common from their beginning, and how many the first has.</summary>
    public static (int Shared, int Whole) Compare(byte[] found, byte[] reference)
    {
        var (at, shared, whole) = (Preamble, 0, 0);
        while (found.Length - at >= Framing && BinaryPrimitives.ReadUInt32LittleEndian(found.AsSpan(at)) == 0x53544550)
        {
            var bytes = Framing + BinaryPrimitives.ReadUInt32LittleEndian(found.AsSpan(at + 4))
                + (long)BinaryPrimitives.ReadUInt64LittleEndian(found.AsSpan(at + 8)) + Hash;
            if (bytes > found.Length - at) break;
            whole++;
            var end = at + (int)bytes;
            if (end <= reference.Length && found.AsSpan(0, end).SequenceEqual(reference.AsSpan(0, end))) shared = whole;
            at = end;
        }

        return (shared, whole);
    }

    /// <summary>Of all logs below a folder, by their path in it.</summary>
    public static SortedDictionary<string, byte[]> Logs(string folder)
    {
        var logs = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        if (!Directory.Exists(folder)) return logs;
        foreach (var path in Directory.EnumerateFiles(folder, "trajectory.log", SearchOption.AllDirectories))
            logs[Path.GetRelativePath(folder, path)] = File.ReadAllBytes(path);
        return logs;
    }

    /// <summary>
    /// The logs of stages that a later stage was begun after, by their path: each such stage was completed, and said so, before.
    /// </summary>
    public static SortedDictionary<string, byte[]> Promised(string folder)
    {
        var promised = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var stages in Directory.EnumerateDirectories(folder, "stages", SearchOption.AllDirectories))
        {
            foreach (var stage in Directory.EnumerateDirectories(stages).Order(StringComparer.Ordinal).SkipLast(1))
            {
                var log = Path.Combine(stage, "trajectory.log");
                promised[Path.GetRelativePath(folder, log)] = File.ReadAllBytes(log);
            }
        }

        return promised;
    }
}
