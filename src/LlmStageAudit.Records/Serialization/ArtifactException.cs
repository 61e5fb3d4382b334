using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Serialization;

/// <summary>A JSON file of ours (manifest, effects, ranking, plan, verification) that cannot be read as what it should be.</summary>
public sealed class ArtifactException : InvalidInputException
{
    private ArtifactException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    internal static ArtifactException Missing(string path, string kind) =>
        new(Sentence(path, "no such file", $"a {kind} file", "check the path"));

    internal static ArtifactException Unreadable(string path, string kind, Exception inner) =>
        new(Sentence(path, $"cannot be read ({inner.Message})", $"a {kind} file"), inner);

    internal static ArtifactException TooLarge(string path, string kind, long sizeBytes, long limitBytes) =>
        new(Sentence(path, $"{sizeBytes} bytes", $"a {kind} file of at most {limitBytes} bytes"));

    internal static ArtifactException NotJson(string path, string kind, Exception inner) =>
        new(Sentence(path, $"not valid JSON ({inner.Message})", $"a {kind} file", "write it again with the command that made it"), inner);

    internal static ArtifactException NotUtf8(string path, string kind) => new(Sentence(path, "not UTF-8", $"a {kind} file"));

    internal static ArtifactException NotAnObject(string path, string kind) =>
        new(Sentence(path, "not a JSON object with 'kind' and 'schemaVersion'", $"a {kind} file"));

    internal static ArtifactException OtherKind(string path, string kind, string found) =>
        new(Sentence(path, $"kind is '{Shorten(found)}'", $"kind '{kind}'", "give the file that this command reads"));

    internal static ArtifactException OtherSchema(string path, string kind, long found, int known) =>
        new(Sentence(
            path,
            $"schemaVersion is {found}",
            $"a {kind} file with schemaVersion 1 to {known}",
            found > known ? "it was written by a newer version: update this one" : null));

    internal static ArtifactException NullInList(string path, string kind, long byteOffset) =>
        new(Sentence($"{path}, byte {byteOffset}", "null in a list", $"a whole {kind} file"));

    internal static ArtifactException Misshapen(string path, string kind, Exception inner) =>
        new(Sentence(path, $"a field is missing or wrong ({inner.Message})", $"a whole {kind} file"), inner);

    internal static ArtifactException Broken(string path, string kind, string found) =>
        new(Sentence(
            path,
            $"no {kind} has this value ({found})",
            $"a {kind} file as it was written",
            "it was damaged or changed: write it again with the command that made it"));

    private static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 60), "...");
}
