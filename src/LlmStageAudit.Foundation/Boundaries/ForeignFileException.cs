namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>
/// A file that is not opened, or not read on. An <see cref="IOException"/>, so that every reader reports it as its own concern's error,
/// with the path, as it reports a file that cannot be read.
/// </summary>
public sealed class ForeignFileException : IOException
{
    private ForeignFileException(string message)
        : base(message)
    {
    }

    internal static ForeignFileException NotRegular(string found) =>
        new($"it {found}; only regular files are opened, for reading from anything else may never end");

    internal static ForeignFileException LeadsOut(string found) => new(found);

    internal static ForeignFileException TooLarge(long sizeBytes, long limitBytes) =>
        new($"it has {sizeBytes} bytes, more than {limitBytes}");

    internal static ForeignFileException NoText() => new("it begins with zeros, and is no text");

    internal static ForeignFileException Pickled(string found) =>
        new($"it is {found}, and is not opened because loading one can run code; {PickleSignature.Remedy}");
}
