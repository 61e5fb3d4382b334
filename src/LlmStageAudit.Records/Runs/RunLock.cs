using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Records.Runs;

/// <summary>Keeps a run folder to one writer; see <see cref="FileLock"/>.</summary>
public sealed class RunLock : IDisposable
{
    private readonly FileLock _held;

    private RunLock(FileLock held) => _held = held;

    /// <summary>Locks a run folder without waiting; the result is disposed to let go.</summary>
    /// <exception cref="RunFolderException">Another process, or this one, holds it already; the message says which.</exception>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    public static RunLock Acquire(RunFolder folder)
    {
        try
        {
            var held = FileLock.TryAcquire(folder.LockPath, folder.HolderPath, out var holder);
            return held is null ? throw RunFolderException.InUse(folder.Root, holder!) : new RunLock(held);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw RunFolderException.Unusable(folder.Root, exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();
}
