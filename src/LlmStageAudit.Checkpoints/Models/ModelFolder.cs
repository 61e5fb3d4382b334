using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// A model folder in the layout of the model hub, opened for reading: config.json, and model.safetensors or the shards that
/// model.safetensors.index.json names. Weights may be absent until <see cref="RequireWeights"/> demands them. Disposing it
/// unmaps the weights.
/// </summary>
public sealed class ModelFolder : IDisposable
{
    internal const string ConfigFile = "config.json";
    /// <summary>Name of the weights where they are in one file.</summary>
    public const string WeightsFile = "model.safetensors";

    /// <summary>Small files that describe tokenizer and generation; copied with a model, hashed where present.</summary>
    internal static readonly string[] CompanionFiles =
    [
        "added_tokens.json", "chat_template.jinja", "generation_config.json", "merges.txt", "special_tokens_map.json",
        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json",
    ];

    private readonly ShardSet _shards;

    private ModelFolder(string path, ModelConfig config, ShardSet shards)
    {
        (Path, Config, _shards) = (path, config, shards);
        IEnumerable<string> files = [ConfigFile, .. shards.FileNames, .. CompanionFiles.Where(name => File.Exists(Beside(name)))];
        Files = [.. files.Order(StringComparer.Ordinal)];
    }

    /// <summary>The folder as it was given to <see cref="Open"/>.</summary>
    public string Path { get; }

    /// <summary>The folder's config.json.</summary>
    public ModelConfig Config { get; }

    /// <summary>False where the folder holds a configuration only.</summary>
    internal bool HasWeights => _shards.FileNames.Count > 0;

    /// <summary>Every tensor with the file that holds it, in file order; empty without weights.</summary>
    public IReadOnlyDictionary<string, (SafetensorsFile File, TensorEntry Entry)> Tensors => _shards.Tensors;

    /// <summary>Full path of tokenizer.json, null where the folder has none.</summary>
    public string? TokenizerPath => File.Exists(Beside("tokenizer.json")) ? Beside("tokenizer.json") : null;

    /// <summary>Names, inside the folder and sorted, of all the files that make up the model: configuration, weights, tokenizer.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Opens a folder and checks its index and shards; weights are read later. Disposed by the caller.</summary>
    /// <exception cref="CheckpointException">
    /// No folder or config.json, weights only as a pickle, index and shards disagree, or a weight file breaks the format.
    /// </exception>
    public static ModelFolder Open(string path)
    {
        CheckpointException.ThrowIfNoFolder(path, "a model folder with config.json and model.safetensors");
        path = HubCache.SnapshotOf(path) ?? path;
        var configPath = System.IO.Path.Combine(path, ConfigFile);
        if (File.Exists(configPath)) return new ModelFolder(path, ModelConfig.Read(configPath), ShardSet.Open(path));
        throw File.Exists(System.IO.Path.Combine(path, "adapter_config.json"))
            ? CheckpointException.At(path, "holds an adapter (adapter_config.json), not a model", "config.json and model.safetensors",
                "name the base model here and the adapter under its own setting")
            : CheckpointException.At(path, "holds no config.json", "a model folder as the model hub or save_pretrained writes it");
    }

    /// <summary>Refuses a folder that holds a configuration only.</summary>
    /// <exception cref="CheckpointException">The folder holds a configuration only.</exception>
    public void RequireWeights()
    {
        if (HasWeights) return;
        var others = Directory.EnumerateFiles(Path, "*.safetensors")
            .Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal).ToList();
        throw others.Count == 0
            ? CheckpointException.At(Path, "holds no weights", $"{WeightsFile} or {ShardSet.IndexFile}",
                "put the weights beside config.json, or ask for random initialisation")
            : CheckpointException.At(
                Path, $"holds {string.Join(", ", others.Take(3))}{(others.Count > 3 ? $" and {others.Count - 3} more" : "")}, but no index",
                $"{WeightsFile}, or {ShardSet.IndexFile} beside the parts",
                "fetch the index too, or rename the file if it is the whole model");
    }

    /// <inheritdoc/>
    public void Dispose() => _shards.Dispose();

    private string Beside(string name) => System.IO.Path.Combine(Path, name);
}
