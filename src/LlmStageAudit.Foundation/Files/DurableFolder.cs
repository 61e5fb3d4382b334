using Microsoft.Win32.SafeHandles;

namespace LlmStageAudit.Foundation.Files;

/// <summary>
/// Folders whose entries survive a power loss. What a rename or a creation changes is the folder, and only flushing the folder itself puts
/// that on disk; flushing the file does not. Elsewhere than on Linux and macOS folders are not flushed: Windows offers no such call and
/// journals its folders itself.
/// </summary>
public static class DurableFolder
{
    /// <summary>Makes a folder and those above it that are missing; each one's name is on disk when this returns.</summary>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    public static void Create(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Directory.Exists(full)) return;
        var parent = Path.GetDirectoryName(full);
        if (parent is not null) Create(parent);
        StorageException.Guard(full, () => Directory.CreateDirectory(full));
        if (parent is not null) Flush(parent);
    }

    /// <summary>Returns when the folder's entries are on disk: names that were added, replaced or removed.</summary>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    public static void Flush(string path)
    {
        if (UnixDisk.IsHere) StorageException.Guard(path, () => UnixDisk.FlushFolder(path));
    }
}

/// <summary>Files whose content survives a power loss.</summary>
public static class DurableFile
{
    /// <summary>Returns when the disk has everything written to the stream.</summary>
    /// <exception cref="StorageException">
    /// The disk is full or fails: nothing may count on what was written since the last flush.
    /// </exception>
    public static void Flush(FileStream stream)
    {
        stream.Flush();
        Flush(stream.SafeFileHandle, stream.Name);
    }

    internal static void Flush(SafeFileHandle file, string path)
    {
        if (UnixDisk.IsHere) StorageException.Guard(path, () => UnixDisk.Flush(file, path));
        else RandomAccess.FlushToDisk(file);
    }
}
