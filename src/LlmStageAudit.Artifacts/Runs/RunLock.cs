using System.Globalization;
using LlmStageAudit.Artifacts.Files;

namespace LlmStageAudit.Artifacts.Runs;

/// <summary>
/// Keeps a run folder to one writer. The operating system holds the lock for the open file and lets go when the process
/// ends, however it ends, so that no stale lock remains.
/// </summary>
public sealed class RunLock : IDisposable
{
    private readonly FileStream _stream;
    private readonly string _holderPath;
    private bool _isDisposed;

    private RunLock(FileStream stream, string holderPath)
    {
        _stream = stream;
        _holderPath = holderPath;
    }

    /// <exception cref="RunFolderException">Another process, or this one, holds it already; the message says which.</exception>
    public static RunLock Acquire(RunFolder folder)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(folder.LockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw RunFolderException.Unusable(folder.Root, exception);
        }
        catch (IOException exception)
        {
            if (!File.Exists(folder.LockPath)) throw RunFolderException.Unusable(folder.Root, exception);
            throw RunFolderException.InUse(folder.Root, ReadHolder(folder));
        }

        try
        {
            // A file of its own: while the lock is held, nobody else can open the locked one to read from it.
            var pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            AtomicFile.WriteText(folder.HolderPath, $"process {pid} on {Environment.MachineName}\n");
            return new RunLock(stream, folder.HolderPath);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    // The locked file itself stays: were it deleted, two newcomers could lock two files of the same name.
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        try
        {
            File.Delete(_holderPath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Only the message to others is stale then.
        }

        _stream.Dispose();
    }

    private static string ReadHolder(RunFolder folder)
    {
        try
        {
            var text = File.ReadAllText(folder.HolderPath).Trim();
            return text.Length is > 0 and <= 300 ? text : "another process";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "another process";
        }
    }
}
