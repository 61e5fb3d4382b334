using System.Security.Cryptography;

namespace LlmStageAudit.Cli.Tests.Surface;

/// <summary>Every file and folder below one, with what the files hold: to see that nothing changed.</summary>
internal static class FileTree
{
    public static SortedDictionary<string, string> Of(string folder)
    {
        var entries = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories))
            entries[Path.GetRelativePath(folder, path)] = Directory.Exists(path) ? "folder" : HashOf(path);
        return entries;
    }

    public static string HashOf(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (var folder in Directory.EnumerateDirectories(from)) Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
    }
}
