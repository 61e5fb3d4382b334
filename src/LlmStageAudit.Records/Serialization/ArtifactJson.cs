using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Records.Serialization;

/// <summary>
/// How our records become JSON: camel case, indented, nulls left out, doubles so that they read back as the same bits,
/// non-finite numbers as "NaN", "Infinity" and "-Infinity", enums as <see cref="EnumSpelling{TEnum}"/> spells them.
/// </summary>
public static class ArtifactJson
{
    /// <summary>Files above this are refused unread.</summary>
    public const long MaximumSizeBytes = 1L << 30;

    /// <summary>Indented, for files. Angle brackets and ampersands are escaped, so the text may be embedded in a page.</summary>
    public static JsonSerializerOptions Options { get; } = Create(indented: true);

    /// <summary>The same on one line, for logs and JSON lines.</summary>
    public static JsonSerializerOptions CompactOptions { get; } = Create(indented: false);

    /// <summary>Writes the record whole or not at all, over what was there.</summary>
    public static void Write<T>(string path, T value)
        where T : IArtifact<T>
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, Options);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(bytes);
            stream.WriteByte((byte)'\n');
        });
    }

    /// <summary>Reads a record after checking that the file says it is one, in a schema this version knows.</summary>
    /// <exception cref="ArtifactException">
    /// The file is absent, too large, no JSON, of another kind or a newer schema, a field is missing,
    /// or a value is one that no such record can have.
    /// </exception>
    public static T Read<T>(string path)
        where T : class, IArtifact<T>
    {
        var bytes = ReadBytes(path, T.KindName);
        var schema = CheckEnvelope<T>(path, bytes);
        try
        {
            var read = schema < T.CurrentSchemaVersion ? Upgraded<T>(bytes, schema) : JsonSerializer.Deserialize<T>(bytes, Options);
            if (read is null) throw ArtifactException.NotAnObject(path, T.KindName);
            return read.Fault() is { } found ? throw ArtifactException.Broken(path, T.KindName, found) : read;
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw ArtifactException.Misshapen(path, T.KindName, exception);
        }
    }

    /// <summary>What a file says it is; null where it is no record of ours.</summary>
    /// <exception cref="ArtifactException">The file is absent, too large or unreadable.</exception>
    public static string? KindOf(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(ReadBytes(path, "result").ToArray());
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String
                ? kind.GetString()
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether two values say the same once written down.</summary>
    public static bool AreEqual<T>(T left, T right) =>
        JsonSerializer.SerializeToUtf8Bytes(left, CompactOptions)
            .AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(right, CompactOptions));

    private static T? Upgraded<T>(ReadOnlySpan<byte> bytes, int schema)
        where T : class, IArtifact<T>
    {
        var old = JsonNode.Parse(bytes, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false })!.AsObject();
        T.Upgrade(old, schema);
        old["schemaVersion"] = T.CurrentSchemaVersion;
        return old.Deserialize<T>(Options);
    }

    private static ReadOnlySpan<byte> ReadBytes(string path, string kind)
    {
        byte[] bytes;
        try
        {
            var file = new FileInfo(path);
            if (!Path.Exists(path)) throw ArtifactException.Missing(path, kind);
            if (file.Exists && file.Length > MaximumSizeBytes) throw ArtifactException.TooLarge(path, kind, file.Length, MaximumSizeBytes);
            bytes = ForeignFile.ReadText(path, MaximumSizeBytes);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw ArtifactException.Unreadable(path, kind, exception);
        }

        ReadOnlySpan<byte> byteOrderMark = [0xEF, 0xBB, 0xBF];
        return bytes.AsSpan().StartsWith(byteOrderMark) ? bytes.AsSpan(3) : bytes;
    }

    // One pass over the text before binding, so that another kind of file is named as such and not by its first missing field. It also
    // refuses null as a list's item, which binding would let through: a null that is no key's value stands in a list.
    private static int CheckEnvelope<T>(string path, ReadOnlySpan<byte> bytes)
        where T : IArtifact<T>
    {
        string? kind = null;
        long? schemaVersion = null;
        if (!Utf8.IsValid(bytes)) throw ArtifactException.NotUtf8(path, T.KindName);
        try
        {
            var reader = new Utf8JsonReader(bytes);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw ArtifactException.NotAnObject(path, T.KindName);
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.Null) throw ArtifactException.NullInList(path, T.KindName, reader.TokenStartIndex);
                if (reader.TokenType != JsonTokenType.PropertyName) continue;
                var isKind = reader.CurrentDepth == 1 && reader.ValueTextEquals("kind"u8);
                var isSchema = reader.CurrentDepth == 1 && reader.ValueTextEquals("schemaVersion"u8);
                reader.Read();
                if (isKind && reader.TokenType == JsonTokenType.String) kind = reader.GetString();
                if (isSchema && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var version)) schemaVersion = version;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw ArtifactException.NotJson(path, T.KindName, exception);
        }

        if (kind is null || schemaVersion is null) throw ArtifactException.NotAnObject(path, T.KindName);
        if (kind != T.KindName) throw ArtifactException.OtherKind(path, T.KindName, kind);
        if (schemaVersion < 1 || schemaVersion > T.CurrentSchemaVersion)
            throw ArtifactException.OtherSchema(path, T.KindName, schemaVersion.Value, T.CurrentSchemaVersion);
        return (int)schemaVersion;
    }

    private static JsonSerializerOptions Create(bool indented)
    {
        var options = new JsonSerializerOptions
        {
            WriteIndented = indented,
            NewLine = "\n",
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            AllowDuplicateProperties = false,
            Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}

/// <summary>A JSON file of ours (manifest, effects, ranking, plan, verification) that cannot be read as what it should be.</summary>
public sealed class ArtifactException : InvalidInputException
{
    private const string WriteAgain = "write it again with the command that made it";

    private ArtifactException(string where, string found, string expected, string? remedy = null, Exception? inner = null)
        : base(Sentence(where, found, expected, remedy), inner)
    {
    }

    internal static ArtifactException Missing(string path, string kind) => new(path, "no such file", $"a {kind} file", "check the path");

    internal static ArtifactException Unreadable(string path, string kind, Exception inner) =>
        new(path, $"cannot be read ({inner.Message})", $"a {kind} file", null, inner);

    internal static ArtifactException TooLarge(string path, string kind, long sizeBytes, long limitBytes) =>
        new(path, $"{sizeBytes} bytes", $"a {kind} file of at most {limitBytes} bytes");

    internal static ArtifactException NotJson(string path, string kind, Exception inner) =>
        new(path, $"not valid JSON ({inner.Message})", $"a {kind} file", WriteAgain, inner);

    internal static ArtifactException NotUtf8(string path, string kind) => new(path, "not UTF-8", $"a {kind} file");

    internal static ArtifactException NotAnObject(string path, string kind) =>
        new(path, "not a JSON object with 'kind' and 'schemaVersion'", $"a {kind} file");

    internal static ArtifactException OtherKind(string path, string kind, string found) =>
        new(path, $"kind is {Shown.Quoted(found)}", $"kind '{kind}'", "give the file that this command reads");

    internal static ArtifactException OtherSchema(string path, string kind, long found, int known) => new(
        path, $"schemaVersion is {found}", $"a {kind} file with schemaVersion 1 to {known}",
        found > known ? "it was written by a newer version: update this one" : null);

    internal static ArtifactException NullInList(string path, string kind, long byteOffset) =>
        new($"{path}, byte {byteOffset}", "null in a list", $"a whole {kind} file");

    internal static ArtifactException Misshapen(string path, string kind, Exception inner) =>
        new(path, $"a field is missing or wrong ({inner.Message})", $"a whole {kind} file", null, inner);

    internal static ArtifactException Broken(string path, string kind, string found) => new(
        path, $"no {kind} has this value ({found})", $"a {kind} file as it was written", $"it was damaged or changed: {WriteAgain}");
}
