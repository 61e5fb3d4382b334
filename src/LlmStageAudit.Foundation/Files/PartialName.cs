using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Foundation.Files;

/// <summary>
/// Names of what is written beside its target: <c>TARGET.PROCESS-MACHINE-RANDOM.partial</c>. A process that was killed leaves them behind;
/// the name tells whether its writer can still be alive, so that the next writer of the same target clears them away.
/// </summary>
public static class PartialName
{
    /// <summary>What all such names end with.</summary>
    public const string Extension = ".partial";

    // Process numbers mean something on one machine and, on Linux, in one namespace of processes: a container has its own.
    private static readonly string s_namespace = Attempt.Or("", () => new FileInfo("/proc/self/ns/pid").LinkTarget ?? "");
    private static readonly string s_machine = Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{Environment.MachineName}/{s_namespace}")).AsSpan(0, 4));

    // Those that this process is writing at the moment.
    private static readonly ConcurrentDictionary<string, bool> s_live = [];

    /// <summary>Writes under a name beside a target, in a folder that is there then, with leftovers cleared away.</summary>
    /// <param name="target">Absolute.</param>
    /// <param name="write">Writes what it is given the name of and moves it to the target. What it throws leaves nothing behind.</param>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    internal static void Write(string target, Action<string> write)
    {
        DurableFolder.Create(Path.GetDirectoryName(target)!);
        ClearLeftovers(target);
        var process = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var beside = $"{target}.{process}-{s_machine}-{Guid.NewGuid():N}{Extension}";
        s_live[beside] = true;
        try
        {
            StorageException.Guard(target, () => write(beside));
            s_live.TryRemove(beside, out _);
        }
        catch
        {
            Remove(beside);
            throw;
        }
    }

    /// <summary>Removes what writers of this target left that have ended, on this machine.</summary>
    private static void ClearLeftovers(string target)
    {
        var stem = Path.GetFileName(target) + ".";
        foreach (var entry in Entries(Path.GetDirectoryName(target)!))
        {
            var name = Path.GetFileName(entry);
            if (!name.StartsWith(stem, StringComparison.Ordinal) || name.Length < stem.Length + Extension.Length) continue;
            var tag = name[stem.Length..^Extension.Length].Split('-');
            var isOurs = tag.Length == 3 && tag[1] == s_machine && tag[2].Length == 32;
            if (!isOurs || !int.TryParse(tag[0], NumberStyles.None, CultureInfo.InvariantCulture, out var process)) continue;
            if (!IsAlive(process, entry)) Remove(entry);
        }
    }

    /// <summary>Removes every leftover in a folder, whoever left it: for a folder that the caller has locked.</summary>
    public static void ClearAll(string folder)
    {
        foreach (var entry in Entries(folder)) Remove(entry);
    }

    // In the way of an error, or of nothing: a failure to clear up must not hide the first one. The name says that what stays is no result;
    // the next writer tries again.
    internal static void Remove(string path)
    {
        s_live.TryRemove(path, out _);
        Attempt.Or(path, () =>
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            else File.Delete(path);
            return path;
        });
    }

    private static string[] Entries(string folder) =>
        Attempt.Or([], () => Directory.Exists(folder) ? Directory.GetFileSystemEntries(folder, "*" + Extension) : []);

    private static bool IsAlive(int process, string path)
    {
        if (process == Environment.ProcessId) return s_live.ContainsKey(path);
        try
        {
            using var found = Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
