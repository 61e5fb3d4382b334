using System.Globalization;

namespace LlmStageAudit.Training.Runs;

/// <summary>What a machine has left. Null where the system does not say: then nothing is refused.</summary>
public sealed record MachineLimits
{
    /// <summary>This machine.</summary>
    public static MachineLimits Current { get; } = new();

    /// <summary>Bytes a file system would still take, asked of the nearest folder above a path that exists.</summary>
    public Func<string, long?> FreeDiskBytes { get; init; } = FreeBytes;

    /// <summary>Bytes this process may still take without swapping: what the system has, or what a container's limit leaves.</summary>
    public Func<long?> AvailableMemoryBytes { get; init; } = () => AvailableBytes("/proc", "/sys/fs/cgroup");

    /// <summary>MemAvailable, or what the narrowest control group this process is in leaves, if that is less.</summary>
    /// <param name="proc">Where the process file system is mounted.</param>
    /// <param name="cgroups">Where control groups are mounted, of version 2 or 1.</param>
    internal static long? AvailableBytes(string proc, string cgroups)
    {
        var system = Field(Path.Combine(proc, "meminfo"), "MemAvailable:") * 1024;
        long?[] limits = [system, .. Lines(Path.Combine(proc, "self", "cgroup")).SelectMany(line => OfGroups(cgroups, line.Split(':', 3)))];
        return limits.Where(limit => limit is not null).Min();
    }

    /// <summary>What the control groups of an entry leave, from the innermost outwards.</summary>
    /// <param name="cgroups">Where control groups are mounted.</param>
    /// <param name="entry">"0::/path" in version 2, "4:memory:/path" in version 1.</param>
    private static IEnumerable<long?> OfGroups(string cgroups, string[] entry)
    {
        var (root, limit, use, cache) = entry switch
        {
            ["0", "", _] => (cgroups, "memory.max", "memory.current", "inactive_file"),
            [_, "memory", _] => (Path.Combine(cgroups, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
            _ => ("", "", "", ""),
        };
        if (root.Length == 0) yield break;
        // A group's own limit and those of all the groups around it hold at once.
        var parts = entry[2].Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var depth = parts.Length; depth >= 0; depth--)
        {
            var folder = Path.Combine([root, .. parts.Take(depth)]);
            // "max", or a number near 2^63 in version 1, is no limit.
            if (Value(folder, limit) is not { } most || most >= long.MaxValue / 2 || Value(folder, use) is not { } used) continue;
            // Cached pages of files count as used, but give way.
            var reclaimable = Field(Path.Combine(folder, "memory.stat"), $"{cache} ") ?? 0;
            yield return Math.Max(0, most - used + reclaimable);
        }
    }

    private static long? FreeBytes(string path)
    {
        var folder = new DirectoryInfo(Path.GetFullPath(path));
        while (folder is { Exists: false }) folder = folder.Parent;
        try
        {
            return folder is null ? null : new DriveInfo(folder.FullName).AvailableFreeSpace;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    private static long? Field(string file, string name) => Lines(file)
        .Where(line => line.StartsWith(name, StringComparison.Ordinal))
        .Select(line => Number(line[name.Length..].Replace("kB", "", StringComparison.Ordinal)))
        .FirstOrDefault();

    private static long? Value(string folder, string file) => Lines(Path.Combine(folder, file)).Select(Number).FirstOrDefault();

    private static long? Number(string text) =>
        long.TryParse(text.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string[] Lines(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllLines(path) : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
