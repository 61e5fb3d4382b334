using System.Formats.Tar;

namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>What lies at a path, told without opening it: opening a pipe waits for whoever writes into it, perhaps for ever.</summary>
internal static class FileKind
{
    /// <summary>
    /// What the archive writer throws of a type it has no entry for; errors of opening an empty regular file have codes of their own.
    /// </summary>
    private const int UnknownType = unchecked((int)0x80131620);

    /// <summary>Why a file must not be opened, or null where it is a regular file.</summary>
    /// <exception cref="IOException">The links at the path go round in a circle, or another process has locked the file.</exception>
    public static string? WhyNotRegular(string path)
    {
        var target = Target(path);
        if (Directory.Exists(target.FullName)) return "is a folder";

        // Pipes, devices and sockets have no length; what has one is a regular file.
        if (!target.Exists || target.Length > 0 || OperatingSystem.IsWindows()) return null;
        return TypeOf(target.FullName) switch
        {
            TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.HardLink => null,
            TarEntryType.Fifo => "is a pipe",
            TarEntryType.CharacterDevice or TarEntryType.BlockDevice => "is a device",
            null => "is a socket or something else without content",
            _ => "is no regular file",
        };
    }

    /// <summary>The file that a path leads to: what the base library says of a link is of the link itself.</summary>
    /// <exception cref="IOException">The links at the path go round in a circle.</exception>
    public static FileInfo Target(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is null ? file : new FileInfo(file.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path);
    }

    // Archiving is the one part of the base library that asks the system for a file's type. Of an empty file it reads nothing.
    private static TarEntryType? TypeOf(string path)
    {
        using var archive = new MemoryStream();
        try
        {
            using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true)) writer.WriteEntry(path, "it");
        }
        catch (IOException exception) when (exception.HResult == UnknownType)
        {
            return null;
        }

        archive.Position = 0;
        using var reader = new TarReader(archive);
        return reader.GetNextEntry()?.EntryType;
    }
}
