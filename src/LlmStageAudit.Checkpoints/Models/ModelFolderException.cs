using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>A model folder, its configuration or its set of tensors cannot be used.</summary>
public sealed class ModelFolderException : InvalidInputException
{
    private ModelFolderException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    internal static ModelFolderException At(string where, string found, string? expected = null, Exception? inner = null) =>
        new(Sentence(where, found, expected), inner);

    internal static ModelFolderException NoFolder(string path) =>
        new(Sentence(path, "no such folder", "a model folder with config.json and model.safetensors"));

    internal static ModelFolderException NoConfig(string path) =>
        new(Sentence(path, "holds no config.json", "a model folder as the model hub or save_pretrained writes it"));

    internal static ModelFolderException IsAdapter(string path) =>
        new(Sentence(path, "holds an adapter (adapter_config.json), not a model", "config.json and model.safetensors",
            "name the base model here and the adapter under its own setting"));

    /// <summary>Weights lie there only as a pickle, which is never opened because a pickle can run code.</summary>
    internal static ModelFolderException PickledWeights(string path, string file) =>
        new(Sentence(path, $"holds its weights only as {file}, a pickle that is not opened because it can run code", "model.safetensors",
            "convert it once: python -c \"from transformers import AutoModelForCausalLM as M; "
            + "M.from_pretrained('IN').save_pretrained('OUT', safe_serialization=True)\""));

    /// <summary>A pickle stands where a folder should.</summary>
    internal static ModelFolderException PickledFile(string path) =>
        new(Sentence(path, "is a pickle, or an archive of one, that is not opened because loading one can run code",
            "a model folder with config.json and model.safetensors", PickleSignature.Remedy));

    internal static ModelFolderException NoWeights(string path) =>
        new(Sentence(path, "holds no weights", "model.safetensors or model.safetensors.index.json",
            "put the weights beside config.json, or ask for random initialisation"));

    internal static ModelFolderException MissingTensor(string path, string name, IEnumerable<string> known) =>
        new(Sentence(path, $"has no tensor {MessageText.Quote(name)}", "every weight of the model", MessageText.NearestHint(name, known)));

    internal static ModelFolderException WrongShape(string file, string name, IReadOnlyList<long> found, IReadOnlyList<long> expected) =>
        new(Sentence($"{file}: tensor {MessageText.Quote(name)}", $"shape {MessageText.Shape(found)}", MessageText.Shape(expected),
            "config.json and the weights belong to different models"));

    internal static ModelFolderException ShardName(string index, string file) =>
        new(Sentence(index, $"names the shard {MessageText.Quote(file)}", "the plain name of a .safetensors file in the same folder"));

    internal static ModelFolderException ShardAbsent(string index, string file) =>
        new(Sentence(index, $"names the shard {MessageText.Quote(file)}, which is absent", null, "finish the download"));

    internal static ModelFolderException NotInShard(string index, string name, string file) =>
        new(Sentence(index, $"places tensor {MessageText.Quote(name)} in {MessageText.Quote(file)}, which does not hold it", null,
            "index and shards belong to different exports; fetch both again"));

    internal static ModelFolderException InTwoShards(string index, string name, string first, string second) =>
        new(Sentence(index, $"tensor {MessageText.Quote(name)} lies in both {first} and {second}", "each tensor once",
            "the folder mixes two exports; fetch it again"));

    /// <summary>Settings that change the arithmetic and are not implemented, all of them at once.</summary>
    internal static ModelFolderException Unsupported(string path, IReadOnlyList<string> settings) =>
        new(Sentence(path, $"unsupported {(settings.Count == 1 ? "setting" : "settings")}: {string.Join("; ", settings)}", null,
            "the results would not be this model's"));

    internal static ModelFolderException TargetExists(string path) =>
        new(Sentence(path, "exists already", "a folder that does not exist yet", "name another folder or remove this one"));
}
