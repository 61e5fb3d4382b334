namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>
/// The one way to open a file that somebody else may have made: regular files only, and texts only where their first bytes do not say that
/// they are something else.
/// </summary>
public static class ForeignFile
{
    /// <summary>A text of more bytes is looked at before it is read.</summary>
    private const long LargeBytes = 1 << 20;

    /// <summary>Opens a regular file for reading.</summary>
    /// <param name="path">Absolute, or relative to the working folder; links are followed.</param>
    /// <param name="share">What others may do with it meanwhile.</param>
    /// <param name="bufferBytes">0 for none.</param>
    /// <exception cref="ForeignFileException">It is a folder, a pipe, a device or a socket, or a link out of the confinement.</exception>
    /// <exception cref="IOException">It is absent or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static FileStream OpenRead(string path, FileShare share = FileShare.Read, int bufferBytes = 0)
    {
        if (FileKind.WhyNotRegular(path) is { } found)
            throw new ForeignFileException($"it {found}; only regular files are opened, for reading from anything else may never end");
        if (Confinement.Leak(path) is { } leak) throw new ForeignFileException(leak);
        return new FileStream(path, FileMode.Open, FileAccess.Read, share, bufferBytes);
    }

    /// <summary>The length of the file that a path leads to, links followed; 0 where there is none.</summary>
    public static long SizeBytes(string path) => FileKind.Target(path) is { Exists: true, Length: var length } ? length : 0;

    /// <summary>Opens a file that should hold text in UTF-8, and refuses what its first bytes say is something else.</summary>
    /// <exception cref="ForeignFileException">As for <see cref="OpenRead"/>, or what lies there is no such text.</exception>
    public static FileStream OpenText(string path)
    {
        var stream = OpenRead(path);
        try
        {
            return SignatureOf(stream) is not { } found ? stream : throw new ForeignFileException(
                PickleIn(found) is { } pickle
                    ? $"it is {pickle}, and is not opened because loading one can run code; {PickleSignature.Remedy}"
                    : $"it is {found.Found}; {found.Remedy}");
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>All of a text's bytes, where they are not more than the limit.</summary>
    /// <exception cref="ForeignFileException">As for <see cref="OpenText"/>, or too many bytes.</exception>
    public static byte[] ReadText(string path, long limitBytes)
    {
        using var stream = OpenText(path);
        // A file with holes costs its maker nothing and would cost the reader all of its size.
        var isLarge = stream.Length > LargeBytes && stream.Length <= limitBytes;
        return isLarge && !Start(stream, stackalloc byte[64]).ContainsAnyExcept((byte)0)
            ? throw new ForeignFileException("it begins with zeros, and is no text")
            : ReadAll(stream, limitBytes);
    }

    /// <summary>All of a file's bytes whatever they are, where they are not more than the limit.</summary>
    /// <exception cref="ForeignFileException">As for <see cref="OpenRead"/>, or too many bytes.</exception>
    public static byte[] ReadBytes(string path, long limitBytes)
    {
        using var stream = OpenRead(path);
        return ReadAll(stream, limitBytes);
    }

    /// <summary>What the first bytes of the file say it is, or null; the stream ends at its start.</summary>
    public static FileSignature? SignatureOf(FileStream stream)
    {
        stream.Position = 0;
        return FileSignature.Of(Start(stream, stackalloc byte[FileSignature.LengthBytes]));
    }

    /// <summary>What kind of pickle or archive begins in the file, or null; the stream ends at its start.</summary>
    public static string? PickleIn(FileStream stream) => PickleIn(SignatureOf(stream));

    private static string? PickleIn(FileSignature? signature) => signature switch
    {
        { Format: FileFormat.Zip } => "a zip archive, as torch.save writes it",
        { CanRunCode: true } => signature.Found,
        _ => null,
    };

    private static ReadOnlySpan<byte> Start(FileStream stream, Span<byte> start)
    {
        var read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        return start[..read];
    }

    private static byte[] ReadAll(FileStream stream, long limitBytes)
    {
        if (stream.Length > limitBytes) throw new ForeignFileException($"it has {stream.Length} bytes, more than {limitBytes}");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}

/// <summary>
/// A file that is not opened, or not read on. An <see cref="IOException"/>, so that every reader reports it as its own concern's error,
/// with the path, as it reports a file that cannot be read.
/// </summary>
public sealed class ForeignFileException : IOException
{
    internal ForeignFileException(string message)
        : base(message)
    {
    }
}
