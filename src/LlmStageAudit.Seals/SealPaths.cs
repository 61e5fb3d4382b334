using System.IO.Enumeration;

namespace LlmStageAudit.Seals;

/// <summary>Paths within a run folder as seals spell them.</summary>
internal static class SealPaths
{
    public static string Within(string root, string file) => Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/');

    public static string Below(string root, string name) => Path.Combine([root, .. name.Split('/')]);

    /// <summary>Whether a path stays in the folder.</summary>
    public static bool IsSafe(string path) =>
        path.Length > 0 && !path.Contains('\\') && !path.Contains('\0') && path.Split('/').All(part => part is not ("" or "." or ".."));

    /// <summary>
    /// All files below a folder of the run, as seals spell them, sorted. A linked folder counts as a file: it is not looked into.
    /// </summary>
    public static string[] FilesBelow(string root, string folder) => Directory.Exists(folder)
        ? [.. Files(folder).Select(file => Within(root, file)).Order(StringComparer.Ordinal)]
        : [];

    private static FileSystemEnumerable<string> Files(string folder) => new(
        folder,
        static (ref FileSystemEntry entry) => entry.ToFullPath(),
        new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
    {
        ShouldIncludePredicate = static (ref FileSystemEntry entry) => !entry.IsDirectory || IsLink(ref entry),
        ShouldRecursePredicate = static (ref FileSystemEntry entry) => !IsLink(ref entry),
    };

    private static bool IsLink(ref FileSystemEntry entry) => entry.Attributes.HasFlag(FileAttributes.ReparsePoint);
}
