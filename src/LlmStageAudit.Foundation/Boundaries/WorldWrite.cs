namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>
/// Tells what every user of the machine may change, so that it is taken for nobody's word. A group may be let in: many systems give every
/// file to the user's own group, and teams share runs that way.
/// </summary>
public static class WorldWrite
{
    /// <summary>What a message expects in place of such a file.</summary>
    public const string Expected = "a file that only its owner and its group may write";

    /// <summary>What a message tells the user to do about such a file.</summary>
    public const string Remedy = "chmod o-w, once you know who wrote it";

    internal const string Found = "every user of this machine may write it";

    /// <summary>Of the file systems that keep no modes, where all files look as the mount says.</summary>
    private static readonly string[] s_modeless =
        ["9p", "v9fs", "drvfs", "msdos", "vfat", "exfat", "ntfs", "ntfs3", "fuse", "fuseblk", "cifs", "smb", "smb2", "smb3", "vboxsf"];

    /// <summary>What is wrong with a file, for an error: null where others may not write it.</summary>
    /// <param name="path">A file, links followed; what does not exist has no fault.</param>
    public static string? Fault(string path)
    {
        var file = new FileInfo(path);
        var target = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true);
        return target is { Exists: true } && KeepsModes(target.FullName) && IsOpen(target) ? Found : null;
    }

    /// <summary>From here on nothing that this process makes can be written by every user, whatever its own user's mask allows.</summary>
    public static void Deny()
    {
        if (UnixDisk.IsHere) UnixDisk.Mask((int)UnixFileMode.OtherWrite);
    }

    /// <summary>
    /// Whether others than owner and group may write; false for links, whose own modes mean nothing, and for what is gone.
    /// </summary>
    internal static bool IsOpen(FileSystemInfo entry) =>
        !OperatingSystem.IsWindows() && entry is { Exists: true, LinkTarget: null } && entry.UnixFileMode.HasFlag(UnixFileMode.OtherWrite);

    /// <summary>Whether modes mean anything at a path that exists.</summary>
    internal static bool KeepsModes(string path) => !OperatingSystem.IsWindows() && Attempt.Or(
        true, () => !s_modeless.Contains(new DriveInfo(path).DriveFormat, StringComparer.OrdinalIgnoreCase));
}
