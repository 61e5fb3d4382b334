using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Checkpoints.Adapters;

/// <summary>Reads and writes PEFT adapter folders: adapter_config.json, adapter_model.safetensors, README.md.</summary>
public static class AdapterFolder
{
    /// <summary>PEFT's name of the configuration.</summary>
    public const string ConfigFile = "adapter_config.json";
    /// <summary>PEFT's name of the weights.</summary>
    public const string WeightsFile = "adapter_model.safetensors";

    /// <summary>What PEFT puts before a module's name in the keys of the weights.</summary>
    public const string KeyPrefix = "base_model.model.";

    /// <summary>The key of the base's fingerprint among the metadata of the weights, which PEFT passes over.</summary>
    private const string FingerprintKey = "base_fingerprint";

    private const string FactorA = ".lora_A.weight";
    private const string FactorB = ".lora_B.weight";

    /// <summary>
    /// Reads configuration and weights. Tensors are keyed as in the file, in file order, widened to float32; every lora_A has its
    /// lora_B and both have the rank that the configuration gives their module.
    /// </summary>
    /// <exception cref="CheckpointException">
    /// A file is absent, only a pickle, or does not fit the other; the weights break the format or are no floating-point numbers.
    /// </exception>
    public static (LoraConfig Config, IReadOnlyDictionary<string, HostTensor> Tensors) Read(string path)
    {
        const string whole = "an adapter folder as PEFT's save_pretrained writes it";
        CheckpointException.ThrowIfNoFolder(path, "an adapter folder with adapter_config.json and adapter_model.safetensors");
        var configPath = Path.Combine(path, ConfigFile);
        var weightsPath = Path.Combine(path, WeightsFile);
        if (!File.Exists(configPath))
        {
            if (HubCache.SnapshotOf(path) is { } snapshot)
                throw CheckpointException.At(path, "is a cache of the model hub", whole, $"name its snapshot, {snapshot}");
            var isModel = File.Exists(Path.Combine(path, "config.json"));
            throw CheckpointException.At(
                path, $"holds no {ConfigFile}", whole, isModel ? "this is a whole model; name it as the model instead" : null);
        }

        if (!File.Exists(weightsPath))
        {
            var pickle = Directory.EnumerateFiles(path, "adapter_model*")
                .Where(PickleSignature.IsName).Order(StringComparer.Ordinal).FirstOrDefault();
            if (pickle is null) throw CheckpointException.At(path, $"holds no {WeightsFile}", whole);
            throw CheckpointException.PickledWeights(path, pickle, WeightsFile,
                "import torch; from safetensors.torch import save_file; save_file({k: v.contiguous() for k, v in "
                + "torch.load('adapter_model.bin', map_location='cpu', weights_only=True).items()}, "
                + "'adapter_model.safetensors', metadata={'format': 'pt'})");
        }

        var config = LoraConfig.Read(configPath);
        var tensors = new OrderedDictionary<string, HostTensor>(StringComparer.Ordinal);
        using var file = SafetensorsFile.Open(weightsPath);
        var names = AdapterNames.Of(file);
        CheckFactors(config, file, names.OnDisk);
        foreach (var (name, onDisk) in names.OnDisk)
            tensors.Add(name, new HostTensor(name, file.Tensors[onDisk].Shape, file.ReadSingles(onDisk)));
        config = config with { BaseFingerprint = file.Metadata.GetValueOrDefault(FingerprintKey) };
        return (names.Note is { } note ? config with { Warnings = [.. config.Warnings, note] } : config, tensors);
    }

    /// <summary>Writes a folder that PEFT loads, whole or not at all.</summary>
    /// <param name="path">The folder to appear; must not exist yet.</param>
    /// <param name="config">Settings; see <see cref="LoraConfig.Write"/>.</param>
    /// <param name="tensors">Weights under PEFT's keys, written in the order given.</param>
    /// <exception cref="CheckpointException">The folder exists already.</exception>
    public static void Write(string path, LoraConfig config, IReadOnlyList<HostTensor> tensors)
    {
        if (Path.Exists(path)) throw CheckpointException.TargetExists(path);
        AtomicFolder.Create(path, folder =>
        {
            config.Write(Path.Combine(folder, ConfigFile));
            SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), tensors, Metadata(config));
            AtomicFile.WriteText(Path.Combine(folder, "README.md"), Readme(config));
        });
    }

    /// <summary>The files of a folder that <see cref="Write"/> makes, with their sizes, before they are written.</summary>
    public static IReadOnlyList<(string Name, long SizeBytes)> Sizes(LoraConfig config, IReadOnlyList<TensorOutline> outlines) =>
    [
        (ConfigFile, LoraConfigWriter.ToJson(config).Length),
        (WeightsFile, SafetensorsWriter.SizeBytes(outlines, Metadata(config))),
        ("README.md", Encoding.UTF8.GetByteCount(Readme(config))),
    ];

    private static void CheckFactors(LoraConfig config, SafetensorsFile file, IReadOnlyDictionary<string, string> onDisk)
    {
        foreach (var (name, found) in onDisk)
        {
            var isA = name.EndsWith(FactorA, StringComparison.Ordinal);
            if (!isA && !name.EndsWith(FactorB, StringComparison.Ordinal)) continue;
            var stem = name[..^FactorA.Length];
            var other = stem + (isA ? FactorB : FactorA);
            if (!onDisk.ContainsKey(other))
            {
                throw CheckpointException.At(file.Path, $"holds {MessageText.Quote(name)} without {MessageText.Quote(other)}",
                    "both factors of every module");
            }

            var shape = file.Tensors[found].Shape;
            var rank = config.RankOf(stem.StartsWith(KeyPrefix, StringComparison.Ordinal) ? stem[KeyPrefix.Length..] : stem);
            if (shape.Count != 2 || shape[isA ? 0 : 1] != rank)
            {
                throw CheckpointException.AtTensor(file.Path, name, $"shape {MessageText.Shape(shape)}",
                    $"lora_A [{rank}, in] and lora_B [out, {rank}]", "adapter_config.json and the weights belong to different adapters");
            }
        }
    }

    private static Dictionary<string, string>? Metadata(LoraConfig config) => config.BaseFingerprint is { } fingerprint
        ? new() { ["format"] = "pt", [FingerprintKey] = fingerprint }
        : null;

    private static string Readme(LoraConfig config)
    {
        // A JSON string is a YAML string too, whatever the name holds.
        var baseModel = config.BaseModelNameOrPath is { } name ? $"base_model: {JsonSerializer.Serialize(name)}\n" : "";
        return $"""
            ---
            {baseModel}library_name: peft
            ---

            A LoRA adapter. Load it on its base model with `PeftModel.from_pretrained(model, "path/to/this/folder")`.

            """.ReplaceLineEndings("\n");
    }
}
