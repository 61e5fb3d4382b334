using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>The folder that huggingface_hub keeps of one repository: refs/main names a commit, snapshots/COMMIT holds its files.</summary>
internal static class HubCache
{
    private const int LongestName = 200;

    /// <summary>The snapshot in a cache folder: the one refs/main names, or the only one. Null where the folder is no such cache.</summary>
    /// <exception cref="CheckpointException">There are several, and none is named; or the one named is absent.</exception>
    public static string? SnapshotOf(string folder)
    {
        var all = Path.Combine(folder, "snapshots");
        if (File.Exists(Path.Combine(folder, ModelFolder.ConfigFile)) || !Directory.Exists(all)) return null;
        var names = Directory.EnumerateDirectories(all).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal).ToList();
        var reference = Path.Combine(folder, "refs", "main");
        var named = File.Exists(reference) ? Text(reference) : null;
        if ((named ?? (names.Count == 1 ? names[0] : "")) is var name && names.Contains(name)) return Whole(Path.Combine(all, name));
        var shown = names.Count == 0 ? "nothing" : string.Join(", ", names.Take(5));
        var meant = named is null ? "refs/main is absent" : $"refs/main names the snapshot {MessageText.Quote(named)}";
        throw CheckpointException.At(
            folder, $"is a cache of the model hub; {meant}, and snapshots holds {shown}",
            "one snapshot", "name the folder snapshots/COMMIT itself, or fetch the model again");
    }

    /// <summary>The snapshot, whose files are links: a copy that wrote down where they lead holds no model.</summary>
    private static string Whole(string snapshot)
    {
        var config = new FileInfo(Path.Combine(snapshot, ModelFolder.ConfigFile));
        var text = config is { Exists: true, LinkTarget: null, Length: < LongestName } ? Text(config.FullName) : "";
        if (!text.StartsWith("../", StringComparison.Ordinal)) return snapshot;
        throw CheckpointException.At(
            config.FullName, $"is the text {MessageText.Quote(text)}, which was a link to the file", "the file",
            "copy the cache again with its links, or fetch the model again");
    }

    private static string Text(string path)
    {
        try
        {
            return Encoding.UTF8.GetString(ForeignFile.ReadText(path, LongestName)).Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw CheckpointException.At(path, $"cannot be read ({fault.Message})", inner: fault);
        }
    }
}
