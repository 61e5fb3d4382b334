using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Boundaries;

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
    internal const string IndexFile = "model.safetensors.index.json";

    /// <summary>Small files that describe tokenizer and generation; copied with a model, hashed where present.</summary>
    internal static readonly string[] CompanionFiles =
    [
        "added_tokens.json", "chat_template.jinja", "generation_config.json", "merges.txt", "special_tokens_map.json",
        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json",
    ];

    private static readonly string[] PickledStems = ["pytorch_model", "model", "consolidated"];

    private readonly ShardSet? _shards;

    private ModelFolder(string path, ModelConfig config, ShardSet? shards)
    {
        Path = path;
        Config = config;
        _shards = shards;
        IEnumerable<string> files = [ConfigFile, .. shards?.FileNames ?? [], .. CompanionFiles.Where(name => File.Exists(Beside(name)))];
        Files = [.. files.Order(StringComparer.Ordinal)];
    }

    /// <summary>The folder as it was given to <see cref="Open"/>.</summary>
    public string Path { get; }

    /// <summary>The folder's config.json.</summary>
    public ModelConfig Config { get; }

    /// <summary>False where the folder holds a configuration only.</summary>
    internal bool HasWeights => _shards is not null;

    /// <summary>Every tensor with the file that holds it, in file order; empty without weights.</summary>
    public IReadOnlyDictionary<string, (SafetensorsFile File, TensorEntry Entry)> Tensors => _shards?.Tensors ?? ShardSet.NoTensors;

    /// <summary>Full path of tokenizer.json, null where the folder has none.</summary>
    public string? TokenizerPath => File.Exists(Beside("tokenizer.json")) ? Beside("tokenizer.json") : null;

    /// <summary>Names, inside the folder and sorted, of all the files that make up the model: configuration, weights, tokenizer.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Opens a folder and checks its index and shards; weights are read later. Disposed by the caller.</summary>
    /// <exception cref="ModelFolderException">No folder or config.json, weights only as a pickle, or index and shards disagree.</exception>
    /// <exception cref="SafetensorsException">A weight file breaks the format.</exception>
    public static ModelFolder Open(string path)
    {
        if (File.Exists(path) && PickleSignature.IsName(path)) throw ModelFolderException.PickledFile(path);
        if (!Directory.Exists(path)) throw ModelFolderException.NoFolder(path);
        var configPath = System.IO.Path.Combine(path, ConfigFile);
        if (!File.Exists(configPath))
        {
            throw File.Exists(System.IO.Path.Combine(path, "adapter_config.json"))
                ? ModelFolderException.IsAdapter(path)
                : ModelFolderException.NoConfig(path);
        }

        var config = ModelConfig.Read(configPath);
        return new ModelFolder(path, config, OpenWeights(path));
    }

    /// <summary>Refuses a folder that holds a configuration only.</summary>
    /// <exception cref="ModelFolderException">The folder holds a configuration only.</exception>
    public void RequireWeights()
    {
        if (!HasWeights) throw ModelFolderException.NoWeights(Path);
    }

    /// <summary>Finds a tensor and demands its shape.</summary>
    /// <exception cref="ModelFolderException">No weights, no such tensor, or another shape.</exception>
    internal (SafetensorsFile File, TensorEntry Entry) RequireTensor(string name, params IReadOnlyList<long> shape)
    {
        RequireWeights();
        if (!Tensors.TryGetValue(name, out var found)) throw ModelFolderException.MissingTensor(Path, name, Tensors.Keys);
        if (!found.Entry.Shape.SequenceEqual(shape))
        {
            throw ModelFolderException.WrongShape(found.File.Path, name, found.Entry.Shape, shape);
        }

        return found;
    }

    /// <inheritdoc/>
    public void Dispose() => _shards?.Dispose();

    private static ShardSet? OpenWeights(string path)
    {
        if (File.Exists(System.IO.Path.Combine(path, WeightsFile))) return ShardSet.OpenSingle(path, WeightsFile);
        if (File.Exists(System.IO.Path.Combine(path, IndexFile))) return ShardSet.OpenIndexed(path, IndexFile);
        var pickle = Directory.EnumerateFiles(path).Where(IsPickledWeights).Order(StringComparer.Ordinal).FirstOrDefault();
        return pickle is null ? null : throw ModelFolderException.PickledWeights(path, System.IO.Path.GetFileName(pickle));
    }

    // Trainers leave pickles of their own beside the weights (training_args.bin, optimizer.pt), which are not looked at.
    private static bool IsPickledWeights(string path)
    {
        var name = System.IO.Path.GetFileName(path);
        var isIndex = name.EndsWith(".bin.index.json", StringComparison.Ordinal);
        return (PickleSignature.IsName(name) || isIndex) && PickledStems.Any(stem => name.StartsWith(stem, StringComparison.Ordinal));
    }

    private string Beside(string name) => System.IO.Path.Combine(Path, name);
}
