using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LlmStageAudit.Foundation;

/// <summary>
/// The calls that the base library does not give: it opens no folders, its own flush to disk says nothing of an error (.NET 10), so that a
/// disk that failed would pass for one that kept what it was given, and it has no say in the modes that new files get.
/// </summary>
internal static class UnixDisk
{
    private const string Program = "program";
    private const int ReadOnly = 0;
    private const int Interrupted = 4;
    private const int InvalidArgument = 22;

    // Looked up in the whole program in place of one library, so that whatever comes between it and the system is asked as well.
    static UnixDisk() => NativeLibrary.SetDllImportResolver(
        typeof(UnixDisk).Assembly, (name, _, _) => name == Program ? NativeLibrary.GetMainProgramHandle() : 0);

    public static bool IsHere => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    /// <summary>Returns when the disk has the content of an open file, or the entries of an open folder.</summary>
    /// <exception cref="IOException">The disk says no.</exception>
    public static void Flush(SafeFileHandle file, string path)
    {
        while (Flush(file) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            // What cannot be flushed says so this way: folders of some network file systems, whose server answers for names, and pipes.
            if (error == InvalidArgument) return;
            if (error != Interrupted) throw LastError(path);
        }
    }

    /// <summary>Returns when the disk has the entries of a folder.</summary>
    /// <exception cref="IOException">The disk says no.</exception>
    public static void FlushFolder(string path)
    {
        var closeOnExec = OperatingSystem.IsLinux() ? 0x80000 : 0x1000000;
        SafeFileHandle folder;
        while ((folder = OpenPath(path, ReadOnly | closeOnExec)).IsInvalid)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted) throw LastError(path);
        }

        using (folder) Flush(folder, path);
    }

    /// <summary>Keeps modes from what this process makes from now on, on top of what its user keeps from it.</summary>
    public static void Mask(int modes) => _ = SetMask(SetMask(modes) | modes);

    private static IOException LastError(string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{Marshal.GetPInvokeErrorMessage(error)} : '{path}'", error);
    }

    [DllImport(Program, EntryPoint = "open", SetLastError = true)]
    private static extern SafeFileHandle OpenPath([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport(Program, EntryPoint = "fsync", SetLastError = true)]
    private static extern int Flush(SafeFileHandle file);

    [DllImport(Program, EntryPoint = "umask")]
    private static extern int SetMask(int modes);
}
