using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// Writes a model folder whole or not at all: config.json, model.safetensors in float32, and the tokenizer's files.
/// </summary>
public static class ModelFolderWriter
{
    /// <summary>Writes a model folder, whole or not at all.</summary>
    /// <param name="path">The folder to appear; must not exist yet.</param>
    /// <param name="config">Configuration to pass on. Its bytes are kept where nothing changes.</param>
    /// <param name="tensors">All weights, named as on disk.</param>
    /// <param name="tokenizerFolder">Where tokenizer and generation files are copied from; null copies none.</param>
    /// <param name="changes">Top-level keys to set, such as architectures; null as a value writes null.</param>
    /// <exception cref="CheckpointException">The folder exists already.</exception>
    public static void Write(
        string path,
        ModelConfig config,
        IReadOnlyList<HostTensor> tensors,
        string? tokenizerFolder = null,
        IReadOnlyDictionary<string, JsonNode?>? changes = null) =>
        Write(path, config, [.. tensors.Select(tensor => tensor.Outline)], index => tensors[index].Values, tokenizerFolder, changes);

    /// <summary>As above, but asks for the values of one tensor at a time.</summary>
    public static void Write(
        string path,
        ModelConfig config,
        IReadOnlyList<TensorOutline> outlines,
        Func<int, ReadOnlyMemory<float>> valuesAt,
        string? tokenizerFolder = null,
        IReadOnlyDictionary<string, JsonNode?>? changes = null)
    {
        if (Path.Exists(path)) throw CheckpointException.TargetExists(path);
        var json = ConfigJson(config, changes);
        AtomicFolder.Create(path, folder =>
        {
            File.WriteAllBytes(Path.Combine(folder, ModelFolder.ConfigFile), json);
            SafetensorsWriter.Write(Path.Combine(folder, ModelFolder.WeightsFile), outlines, valuesAt);
            if (tokenizerFolder is null) return;
            foreach (var name in ModelFolder.CompanionFiles)
            {
                var source = Path.Combine(tokenizerFolder, name);
                if (File.Exists(source)) File.Copy(source, Path.Combine(folder, name));
            }
        });
    }

    /// <summary>The files of a folder that is written with these arguments, with their sizes, before they are written.</summary>
    public static IReadOnlyList<(string Name, long SizeBytes)> Sizes(
        ModelConfig config,
        IReadOnlyList<TensorOutline> outlines,
        string? tokenizerFolder = null,
        IReadOnlyDictionary<string, JsonNode?>? changes = null)
    {
        var companions = tokenizerFolder is null
            ? []
            : ModelFolder.CompanionFiles.Select(name => Path.Combine(tokenizerFolder, name));
        return
        [
            (ModelFolder.ConfigFile, ConfigJson(config, changes).Length),
            (ModelFolder.WeightsFile, SafetensorsWriter.SizeBytes(outlines)),
            .. companions.Where(File.Exists).Select(path => (Path.GetFileName(path), ForeignFile.SizeBytes(path))),
        ];
    }

    private static byte[] ConfigJson(ModelConfig config, IReadOnlyDictionary<string, JsonNode?>? changes)
    {
        var all = new SortedDictionary<string, JsonNode?>(changes?.ToDictionary() ?? [], StringComparer.Ordinal);

        // Loaders cast to the dtype that is named here, so a file of float32 weights must not be announced as bfloat16.
        foreach (var key in (ReadOnlySpan<string>)["torch_dtype", "dtype"])
        {
            if (config.FindString(key) is not (null or "float32")) all.TryAdd(key, "float32");
        }

        if (all.Count == 0) return config.RawJson.ToArray();
        var root = JsonNode.Parse(config.RawJson.Span)!.AsObject();
        foreach (var (key, value) in all) root[key] = value?.DeepClone();
        return Encoding.UTF8.GetBytes(root.ToJsonString(JsonSection.Readable) + "\n");
    }
}
