namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>
/// The one way to open a file that somebody else may have made: regular files only, and texts only where they are no pickle.
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
        if (FileKind.WhyNotRegular(path) is { } found) throw ForeignFileException.NotRegular(found);
        if (Confinement.Leak(path) is { } leak) throw ForeignFileException.LeadsOut(leak);
        return new FileStream(path, FileMode.Open, FileAccess.Read, share, bufferBytes);
    }

    /// <summary>Opens a file that should hold text, and refuses what begins like a pickle or an archive of them.</summary>
    /// <exception cref="ForeignFileException">As for <see cref="OpenRead"/>, or a pickle.</exception>
    public static FileStream OpenText(string path)
    {
        var stream = OpenRead(path);
        try
        {
            if (PickleIn(stream) is { } found) throw ForeignFileException.Pickled(found);
            return stream;
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
        if (stream.Length > limitBytes) throw ForeignFileException.TooLarge(stream.Length, limitBytes);
        if (stream.Length > LargeBytes && BeginsWithZeros(stream)) throw ForeignFileException.NoText();
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>All of a file's bytes whatever they are, where they are not more than the limit.</summary>
    /// <exception cref="ForeignFileException">As for <see cref="OpenRead"/>, or too many bytes.</exception>
    public static byte[] ReadBytes(string path, long limitBytes)
    {
        using var stream = OpenRead(path);
        if (stream.Length > limitBytes) throw ForeignFileException.TooLarge(stream.Length, limitBytes);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    // A file with holes costs its maker nothing and would cost the reader all of its size.
    private static bool BeginsWithZeros(FileStream stream)
    {
        Span<byte> start = stackalloc byte[64];
        var read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        return !start[..read].ContainsAnyExcept((byte)0);
    }

    /// <summary>What kind of pickle or archive begins in the file, or null; the stream ends at its start.</summary>
    public static string? PickleIn(FileStream stream)
    {
        Span<byte> start = stackalloc byte[PickleSignature.LengthBytes];
        stream.Position = 0;
        var read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        return PickleSignature.Find(start[..read]);
    }
}
