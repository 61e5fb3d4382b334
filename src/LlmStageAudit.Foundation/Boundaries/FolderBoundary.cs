namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>
/// Finds what makes a folder more than its owner's: links that lead out of it, through which one writes somewhere else or reads what the
/// folder's seal does not cover, and files and folders that every user of the machine may change.
/// </summary>
public static class FolderBoundary
{
    /// <summary>More entries than this are no run.</summary>
    private const int MostEntries = 100_000;

    private const int DeepestFolder = 16;

    private const string NoRun = "check the path";

    /// <summary>What is wrong, with the entry's path relative to the folder, and what to do; null where nothing is.</summary>
    /// <exception cref="IOException">The folder cannot be walked.</exception>
    public static (string Found, string Remedy)? Fault(string folder)
    {
        var real = RealPath.Of(folder);
        var keepsModes = WorldWrite.KeepsModes(real);
        if (OpenToAll(new DirectoryInfo(real), "the folder") is { } open) return open;
        var waiting = new Stack<(DirectoryInfo Folder, int Depth)>([(new DirectoryInfo(real), 0)]);
        var count = 0;
        while (waiting.TryPop(out var next))
        {
            foreach (var entry in Entries(next.Folder))
            {
                var name = Path.GetRelativePath(real, entry.FullName);
                if (++count > MostEntries) return ($"more than {MostEntries} files and folders", NoRun);
                if (entry.LinkTarget is not null)
                {
                    if (RealPath.IsWithin(entry.FullName, real)) continue;
                    return ($"{name} is a link that leads out of the folder", "copy what the link leads to in its place");
                }

                if (OpenToAll(entry, name) is { } fault) return fault;
                if (entry is not DirectoryInfo inner) continue;
                if (next.Depth == DeepestFolder) return ($"folders more than {DeepestFolder} deep", NoRun);
                waiting.Push((inner, next.Depth + 1));
            }
        }

        return null;

        (string Found, string Remedy)? OpenToAll(FileSystemInfo entry, string name) => keepsModes && WorldWrite.IsOpen(entry)
            ? ($"{WorldWrite.Found} ({name})", "chmod -R o-w, once you know who wrote it")
            : null;
    }

    // A folder may be gone by now: another process of ours makes folders beside their place and renames them.
    private static FileSystemInfo[] Entries(DirectoryInfo folder)
    {
        try
        {
            return folder.GetFileSystemInfos();
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
