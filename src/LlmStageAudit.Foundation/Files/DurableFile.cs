using Microsoft.Win32.SafeHandles;

namespace LlmStageAudit.Foundation.Files;

/// <summary>Files whose content survives a power loss; see <see cref="DurableFolder"/> for what is on disk when.</summary>
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
        if (UnixDisk.IsHere) StorageException.Guard(path, () => UnixDisk.FlushFile(file, path));
        else RandomAccess.FlushToDisk(file);
    }
}
