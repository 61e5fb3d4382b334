namespace LlmStageAudit.Artifacts.Boundaries;

/// <summary>
/// Finds links inside a folder that lead out of it: whoever writes through one writes somewhere else, and whoever reads
/// through one reads what the folder's seal does not cover.
/// </summary>
internal static class FolderBoundary
{
    /// <summary>More entries than this are no run.</summary>
    private const int MostEntries = 100_000;

    private const int DeepestFolder = 16;

    /// <summary>What is wrong, with the entry's path relative to the folder, or null.</summary>
    /// <exception cref="IOException">The folder cannot be walked.</exception>
    public static string? Fault(string folder)
    {
        var real = RealPath.Of(folder);
        var waiting = new Stack<(DirectoryInfo Folder, int Depth)>([(new DirectoryInfo(real), 0)]);
        var count = 0;
        while (waiting.TryPop(out var next))
        {
            foreach (var entry in Entries(next.Folder))
            {
                if (++count > MostEntries) return $"more than {MostEntries} files and folders";
                if (entry.LinkTarget is not null)
                {
                    if (!RealPath.IsWithin(entry.FullName, real)) return $"{Path.GetRelativePath(real, entry.FullName)} is a link that leads out of the folder";
                }
                else if (entry is DirectoryInfo inner)
                {
                    if (next.Depth == DeepestFolder) return $"folders more than {DeepestFolder} deep";
                    waiting.Push((inner, next.Depth + 1));
                }
            }
        }

        return null;
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
