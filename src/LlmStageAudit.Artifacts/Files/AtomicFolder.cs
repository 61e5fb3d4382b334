namespace LlmStageAudit.Artifacts.Files;

/// <summary>Fills a folder whole or not at all: beside its target, then renamed. The target must not exist yet.</summary>
public static class AtomicFolder
{
    /// <param name="path">The folder to appear.</param>
    /// <param name="fill">Gets the folder to write into; what it throws leaves nothing behind.</param>
    /// <exception cref="IOException">The target exists already.</exception>
    public static void Create(string path, Action<string> fill)
    {
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var beside = $"{target}.{Environment.ProcessId}-{Guid.NewGuid():N}.partial";
        Directory.CreateDirectory(beside);
        try
        {
            fill(beside);
            Directory.Move(beside, target);
        }
        catch
        {
            Directory.Delete(beside, recursive: true);
            throw;
        }
    }
}
