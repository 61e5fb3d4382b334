namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>Paths with every link on the way followed.</summary>
public static class RealPath
{
    /// <summary>As many as the system follows.</summary>
    private const int MostLinks = 40;

    /// <summary>The absolute path that a path leads to; what does not exist yet is taken as it is written.</summary>
    /// <exception cref="IOException">More links than the system would follow.</exception>
    public static string Of(string path)
    {
        var links = 0;
        var rest = new Stack<string>(Parts(Path.GetFullPath(path)).Reverse());
        var real = Path.GetPathRoot(Path.GetFullPath(path))!;
        while (rest.TryPop(out var part))
        {
            if (part == "..")
            {
                real = Path.GetDirectoryName(real) ?? real;
                continue;
            }

            var next = Path.Combine(real, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MostLinks) throw new IOException($"{path} leads through more than {MostLinks} links");
            if (Path.IsPathRooted(target)) real = Path.GetPathRoot(target)!;
            foreach (var piece in Parts(target).Reverse()) rest.Push(piece);
        }

        return real;
    }

    /// <summary>Whether a path leads to a folder or into it; both with links followed.</summary>
    internal static bool IsWithin(string path, string folder)
    {
        var relative = Path.GetRelativePath(Of(folder), Of(path));
        return relative != ".."
            && !relative.StartsWith($"..{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            && !Path.IsPathRooted(relative);
    }

    private static IEnumerable<string> Parts(string path) =>
        path.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries)
            .Where(part => part != "." && !Path.IsPathRooted(part));
}
