using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Foundation.Files;

/// <summary>A disk that is full or fails under a write. What was there before the write is whole.</summary>
public sealed class StorageException : AuditException
{
    // ENOSPC, EDQUOT (Linux, macOS), ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL. On Unix an IOException carries the errno as it is.
    private static readonly int[] s_full = [28, 122, 69, unchecked((int)0x80070070), unchecked((int)0x80070027)];

    // EIO, EROFS, ERROR_WRITE_FAULT, ERROR_IO_DEVICE.
    private static readonly int[] s_failing = [5, 30, unchecked((int)0x8007001D), unchecked((int)0x8007045D)];

    private StorageException(string message, bool isFull, Exception inner)
        : base(message, inner) => IsFull = isFull;

    /// <inheritdoc/>
    public override ErrorKind Kind => ErrorKind.Failure;

    /// <summary>No room, or no more allowed: more room mends it. Otherwise the disk fails.</summary>
    public bool IsFull { get; }

    /// <summary>Whether an exception says that the disk is full or fails, rather than that a path is wrong.</summary>
    public static bool IsFault(Exception exception) =>
        exception is IOException && (s_full.Contains(exception.HResult) || s_failing.Contains(exception.HResult));

    /// <summary>Says which path was written and whether room or the disk is lacking.</summary>
    /// <param name="path">What was being written.</param>
    /// <param name="inner">One of which <see cref="IsFault"/> is true.</param>
    public static StorageException Of(string path, Exception inner)
    {
        var (isFull, said) = (s_full.Contains(inner.HResult), inner.Message);
        var sentence = isFull
            ? Sentence(path, $"the disk is full ({said})", "room for it", "free some space and run the command again")
            : Sentence(path, $"the disk fails ({said})", "a disk that can be written", "check the disk, then run the command again");
        return new StorageException(sentence, isFull, inner);
    }

    /// <summary>Does something to a path and turns faults of the disk into this exception.</summary>
    public static void Guard(string path, Action use)
    {
        try
        {
            use();
        }
        catch (IOException exception) when (IsFault(exception))
        {
            throw Of(path, exception);
        }
    }
}
