using System.Text.Json.Nodes;
using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Modeling.Models;

/// <summary>
/// A trainable state on disk, in the formats others read: a PEFT adapter folder, or a whole Hugging Face model folder where
/// all parameters train. Float32 values survive bit for bit.
/// </summary>
public static class StateFolder
{
    /// <param name="path">The folder to appear; it must not exist.</param>
    /// <param name="theta">The state [N].</param>
    public static void Write(string path, LanguageModel model, Tensor theta)
    {
        var tensors = ToHost(model, theta);
        if (model.Adapter is { } adapter) AdapterFolder.Write(path, adapter, tensors);
        else ModelFolderWriter.Write(path, model.Folder.Config, tensors, model.Folder.Path, ConfigChanges(model));
    }

    /// <summary>The state [N] of a folder <see cref="Write"/> made for this model, in the current dispose scope.</summary>
    public static Tensor Read(string path, LanguageModel model)
    {
        if (model.Adapter is not null)
        {
            var (_, tensors) = AdapterFolder.Read(path);
            return Flatten(path, model, name => tensors.GetValueOrDefault(name) is { } found ? (found.Shape, found.Values) : null);
        }

        using var folder = ModelFolder.Open(path);
        return Flatten(path, model, name => folder.Tensors.TryGetValue(name, out var found)
            ? (found.Entry.Shape, found.File.ReadSingles(name).AsMemory())
            : null);
    }

    /// <summary>How many bytes the files of a folder that <see cref="Write"/> makes have together, and how many files there are.</summary>
    public static (long Bytes, int Files) Size(LanguageModel model)
    {
        TensorOutline[] outlines = [.. model.Layout.Slots.Select(slot => new TensorOutline(slot.Name, slot.Shape))];
        return model.Adapter is { } adapter
            ? AdapterFolder.Size(adapter, outlines)
            : ModelFolderWriter.Size(model.Folder.Config, outlines, model.Folder.Path, ConfigChanges(model));
    }

    /// <summary>The file of such a folder that holds the values.</summary>
    public static string WeightsPath(string path, LanguageModel model) =>
        Path.Combine(path, model.Adapter is null ? ModelFolder.WeightsFile : AdapterFolder.WeightsFile);

    private static Tensor Flatten(
        string path, LanguageModel model, Func<string, (IReadOnlyList<long> Shape, ReadOnlyMemory<float> Values)?> find)
    {
        var flat = new float[model.Layout.Count];
        foreach (var slot in model.Layout.Slots)
        {
            var (shape, values) = find(slot.Name) ?? throw ModelingException.MissingTensor(path, slot.Name, null);
            if (!shape.SequenceEqual(slot.Shape)) throw ModelingException.WrongShape(path, slot.Name, shape, slot.Shape);
            values.Span.CopyTo(flat.AsSpan((int)slot.Offset));
        }

        return tensor(flat).to(model.Dtype).to(model.Device);
    }

    /// <summary>What config.json must say of the saved class; the number of labels follows Hugging Face's spelling.</summary>
    internal static Dictionary<string, JsonNode?> ConfigChanges(LanguageModel model)
    {
        var changes = new Dictionary<string, JsonNode?> { ["architectures"] = new JsonArray(model.Architecture) };
        if (model.Task != ModelTask.SequenceClassification) return changes;
        var labels = Enumerable.Range(0, model.Labels).Select(i => ($"LABEL_{i}", i)).ToArray();
        changes["id2label"] = new JsonObject(labels.Select(pair => KeyValuePair.Create($"{pair.i}", (JsonNode?)pair.Item1)));
        changes["label2id"] = new JsonObject(labels.Select(pair => KeyValuePair.Create(pair.Item1, (JsonNode?)pair.i)));
        return changes;
    }

    private static HostTensor[] ToHost(LanguageModel model, Tensor theta)
    {
        using var single = theta.to(float32);
        var values = single.data<float>().AsMemory();
        return [.. model.Layout.Slots.Select(slot => new HostTensor(slot.Name, slot.Shape, values.Slice((int)slot.Offset, (int)slot.Length)))];
    }
}
