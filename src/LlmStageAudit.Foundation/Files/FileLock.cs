using System.Globalization;
using System.Text;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Foundation.Files;

/// <summary>
/// One writer at a time, by a locked file. The operating system holds the lock for the open file and lets go when the process ends,
/// however it ends, so that no stale lock remains.
/// </summary>
public sealed class FileLock : IDisposable
{
    private const long LongestHolderBytes = 4096;

    // EWOULDBLOCK (Linux, macOS), ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION.
    private static readonly int[] s_held = [11, 35, unchecked((int)0x80070020), unchecked((int)0x80070021)];

    private readonly FileStream _stream;
    private readonly string _holderPath;
    private bool _isDisposed;

    private FileLock(FileStream stream, string holderPath) => (_stream, _holderPath) = (stream, holderPath);

    /// <summary>Takes the lock without waiting for it. The result is disposed to let go.</summary>
    /// <param name="lockPath">The file to lock; it stays, since two newcomers could lock two files of a name that was deleted.</param>
    /// <param name="holderPath">Where the holder says who it is: nobody else can open the locked file to read from it.</param>
    /// <param name="holder">Who holds it, where somebody else does.</param>
    /// <returns>Null where another process, or this one, holds it already.</returns>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    public static FileLock? TryAcquire(string lockPath, string holderPath, out string? holder)
    {
        holder = null;
        FileStream? stream = null;
        try
        {
            StorageException.Guard(
                lockPath, () => stream = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            var process = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            AtomicFile.WriteText(holderPath, $"process {process} on {Environment.MachineName}\n");
            return new FileLock(stream!, holderPath);
        }
        catch (IOException exception) when (stream is null && s_held.Contains(exception.HResult))
        {
            holder = ReadHolder(holderPath);
            return null;
        }
        catch
        {
            stream?.Dispose();
            throw;
        }
    }

    /// <summary>Who holds a lock at this moment; null: nobody.</summary>
    public static string? HolderOf(string lockPath, string holderPath)
    {
        if (!File.Exists(lockPath)) return null;
        try
        {
            ForeignFile.OpenRead(lockPath).Dispose();
            return null;
        }
        catch (IOException exception) when (s_held.Contains(exception.HResult))
        {
            return ReadHolder(holderPath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Lets go of the lock; the locked file stays.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        // Where this fails, only the message to others is stale.
        PartialName.Remove(_holderPath);
        _stream.Dispose();
    }

    private static string ReadHolder(string path) => Attempt.Or("another process", () =>
    {
        var text = Encoding.UTF8.GetString(ForeignFile.ReadBytes(path, LongestHolderBytes)).Trim();
        return text.Length is > 0 and <= 300 ? text : "another process";
    });
}
