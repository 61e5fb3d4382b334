namespace LlmStageAudit.Foundation.Files;

/// <summary>
/// Fills a folder whole or not at all: beside its target, everything within flushed to disk, then renamed, then the folder above flushed.
/// The target must not exist yet. When a call returns, all of it and its name are on disk.
/// </summary>
public static class AtomicFolder
{
    /// <summary>Makes a folder and fills it.</summary>
    /// <param name="path">The folder to appear.</param>
    /// <param name="fill">Gets the folder to write into; what it throws leaves nothing behind.</param>
    /// <exception cref="IOException">The target exists already.</exception>
    /// <exception cref="StorageException">The disk is full or fails; nothing has appeared.</exception>
    public static void Create(string path, Action<string> fill)
    {
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        PartialName.Write(target, beside =>
        {
            Directory.CreateDirectory(beside);
            fill(beside);
            FlushWithin(beside);
            Directory.Move(beside, target);
            try
            {
                DurableFolder.Flush(Path.GetDirectoryName(target)!);
            }
            catch
            {
                PartialName.Remove(target);
                throw;
            }
        });
    }

    // Whoever fills the folder need not know of flushing. A copied file may be one that nobody may write to; Unix flushes it all the same.
    private static void FlushWithin(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            using var handle = File.OpenHandle(file, FileMode.Open, UnixDisk.IsHere ? FileAccess.Read : FileAccess.ReadWrite);
            DurableFile.Flush(handle, file);
        }

        foreach (var inner in Directory.EnumerateDirectories(folder)) FlushWithin(inner);
        DurableFolder.Flush(folder);
    }
}
