using System.Text.Json;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// A model's config.json, or an object inside it, behind typed getters. Get demands a key, Find answers null where it is absent or
/// null; both throw a <see cref="ModelFolderException"/> that names file and key where the value has the wrong type.
/// </summary>
public sealed class ModelConfig
{
    /// <summary>Larger files are refused unread.</summary>
    internal const long LongestBytes = 16 << 20;

    private readonly JsonSection _section;

    private ModelConfig(JsonSection section, ReadOnlyMemory<byte> rawJson)
    {
        _section = section;
        RawJson = rawJson;
    }

    /// <summary>Path of the file, for messages.</summary>
    public string Path => _section.Path;

    /// <summary>The bytes of the whole file as they were read; empty for a nested object.</summary>
    internal ReadOnlyMemory<byte> RawJson { get; }

    /// <summary>The object's keys in file order, those that are null included.</summary>
    public IEnumerable<string> Keys => _section.Keys;

    /// <summary>The family, such as gpt_neox.</summary>
    public string ModelType => GetString("model_type");

    /// <summary>Class names such as GPTNeoXForCausalLM; empty where the file names none.</summary>
    public IReadOnlyList<string> Architectures => _section.FindStrings("architectures") ?? [];

    /// <summary>Null where absent or null, as for the Pythia models.</summary>
    public int? PadTokenId => FindInt("pad_token_id");

    /// <summary>Classes of a classification head: the entries of id2label, else num_labels, else null.</summary>
    public int? NumLabels => FindSection("id2label") is { } labels ? labels.Keys.Count() : FindInt("num_labels", 1);

    /// <summary>Reads a config.json of at most 16 MiB.</summary>
    /// <exception cref="ModelFolderException">Unreadable, too large, or no JSON object.</exception>
    public static ModelConfig Read(string path) => Parse(path, JsonFile.ReadBytes(path, LongestBytes, ModelFolderException.At));

    /// <summary>Parses bytes that are already in memory; <paramref name="path"/> only serves messages.</summary>
    public static ModelConfig Parse(string path, ReadOnlyMemory<byte> json) =>
        new(JsonFile.ParseObject(path, json, ModelFolderException.At), json);

    /// <summary>Whether the key is there and not null.</summary>
    public bool Has(string key) => _section.Find(key) is not null;

    internal ModelConfig? FindSection(string key) => _section.FindSection(key) is { } nested ? new ModelConfig(nested, default) : null;

    internal int? FindInt(string key, int least = int.MinValue, int most = int.MaxValue) => (int?)_section.FindInteger(key, least, most);

    internal int GetInt(string key, int least = int.MinValue, int most = int.MaxValue) =>
        FindInt(key, least, most) ?? throw _section.Absent(key, "an integer");

    internal double? FindDouble(string key) => _section.FindDouble(key);

    /// <summary>A number; an absent key is a fault.</summary>
    public double GetDouble(string key) => FindDouble(key) ?? throw _section.Absent(key, "a number");

    internal bool? FindBool(string key) => _section.FindBoolean(key);

    internal bool GetBool(string key) => FindBool(key) ?? throw _section.Absent(key, "true or false");

    internal string? FindString(string key) => _section.FindString(key);

    /// <summary>A text; an absent key is a fault.</summary>
    public string GetString(string key) => FindString(key) ?? throw _section.Absent(key, "a string");

    internal IReadOnlyList<string>? FindStrings(string key) => _section.FindStrings(key);

    /// <summary>The value as JSON, for keys whose form varies between versions.</summary>
    public JsonElement? Find(string key) => _section.Find(key);

    /// <summary>An error that names this file and key.</summary>
    public ModelFolderException Fault(string key, string found, string? expected = null) =>
        ModelFolderException.At(_section.Where(key), found, expected);
}
