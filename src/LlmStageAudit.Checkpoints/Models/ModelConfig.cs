namespace LlmStageAudit.Checkpoints.Models;

/// <summary>A model's config.json.</summary>
public sealed class ModelConfig : JsonSection
{
    /// <summary>Larger files are refused unread.</summary>
    internal const long LongestBytes = 16 << 20;

    private ModelConfig(string path, ReadOnlyMemory<byte> json)
        : base(path, json) => RawJson = json;

    /// <summary>The bytes of the whole file as they were read.</summary>
    internal ReadOnlyMemory<byte> RawJson { get; }

    /// <summary>The family, such as gpt_neox.</summary>
    public string ModelType => GetString("model_type");

    /// <summary>Class names such as GPTNeoXForCausalLM; empty where the file names none.</summary>
    public IReadOnlyList<string> Architectures => FindStrings("architectures") ?? [];

    /// <summary>Classes of a classification head: the entries of id2label, else num_labels, else null.</summary>
    public int? NumLabels => FindSection("id2label") is { } labels ? labels.Keys.Count() : FindInt("num_labels", 1);

    /// <summary>What a classification head is trained for; null where it follows from the number of labels.</summary>
    public string? ProblemType => FindString("problem_type");

    /// <summary>Keys that are set, and known neither here nor as inert: transformers' class may act on them.</summary>
    public IReadOnlyList<string> UnknownKeys => KnownKeys.Strangers(this);

    /// <summary>Reads a config.json of at most 16 MiB.</summary>
    /// <exception cref="CheckpointException">Unreadable, too large, or no JSON object.</exception>
    public static ModelConfig Read(string path) => Parse(path, Bytes(path, LongestBytes));

    /// <summary>Parses bytes that are already in memory; <paramref name="path"/> only serves messages.</summary>
    public static ModelConfig Parse(string path, ReadOnlyMemory<byte> json) => new(path, json);
}
