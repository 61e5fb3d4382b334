using System.Runtime.InteropServices;

namespace LlmStageAudit.Artifacts.Files;

/// <summary>
/// Folders whose entries survive a power loss. What a rename or a creation changes is the folder, and only flushing the folder itself puts
/// that on disk; flushing the file does not. The base library cannot open a folder, hence the three imports. Elsewhere than on Linux and
/// macOS nothing is flushed: Windows offers no such call and journals its folders itself.
/// </summary>
/// <remarks>
/// What is on disk when a call here returns:
/// <list type="bullet">
/// <item><see cref="AtomicFile"/>: the file's content (before its rename) and its name (after it).</item>
/// <item><see cref="AtomicFolder"/>: every file within, every folder within, then the folder's own name.</item>
/// <item><see cref="Create"/>: the name of every folder it made.</item>
/// <item>A trajectory log: its name when it is created; its records at the end of a stage, at a stop, and in between not later than
/// <see cref="Trajectories.BackgroundTrajectoryWriter.DefaultFlushInterval"/> after they were written.</item>
/// </list>
/// </remarks>
public static class DurableFolder
{
    private const int ReadOnly = 0;
    private const int Interrupted = 4;
    private const int InvalidArgument = 22;

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
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return;
        StorageException.Guard(path, () => FlushUnix(path));
    }

    private static void FlushUnix(string path)
    {
        var closeOnExec = OperatingSystem.IsLinux() ? 0x80000 : 0x1000000;
        int descriptor;
        while ((descriptor = OpenFile(path, ReadOnly | closeOnExec)) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted) throw LastError(path);
        }

        try
        {
            while (FlushFile(descriptor) != 0)
            {
                var error = Marshal.GetLastPInvokeError();
                // Some network file systems do not flush folders and say so this way; there their server answers for names.
                if (error == InvalidArgument) return;
                if (error != Interrupted) throw LastError(path);
            }
        }
        finally
        {
            _ = CloseFile(descriptor);
        }
    }

    private static IOException LastError(string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{Marshal.GetPInvokeErrorMessage(error)} : '{path}'", error);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int OpenFile([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int FlushFile(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int CloseFile(int descriptor);
}
