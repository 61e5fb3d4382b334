using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Models;

/// <summary>
/// A trainable state on disk, in the formats others read: a PEFT adapter folder, or a whole Hugging Face model folder where
/// all parameters train. Float32 values survive bit for bit.
/// </summary>
public static class StateFolder
{
    /// <summary>Writes a state, whole or not at all.</summary>
    /// <param name="path">The folder to appear; it must not exist.</param>
    /// <param name="model">The model whose state it is.</param>
    /// <param name="theta">The state [N].</param>
    public static void Write(string path, LanguageModel model, Tensor theta)
    {
        if (model.Adapter is { } adapter)
        {
            AdapterFolder.Write(path, adapter, ToHost(model, theta));
            return;
        }

        // One weight at a time: together they may be as large as all else in memory.
        using var single = theta.to(float32);
        ModelFolderWriter.Write(path, model.Folder.Config, Outlines(model), Values, model.Folder.Path, ConfigChanges(model));

        ReadOnlyMemory<float> Values(int index)
        {
            using var scope = NewDisposeScope();
            var slot = model.Layout.Slots[index];
            return single.narrow(0, slot.Offset, slot.Length).ToArray<float>();
        }
    }

    /// <summary>The state [N] of a folder <see cref="Write"/> made for this model, in the current dispose scope.</summary>
    public static Tensor Read(string path, LanguageModel model)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var state = zeros([model.Layout.Count], model.Dtype, model.Device);
        var parts = model.Layout.Slots.Zip(model.Layout.Split(state));
        if (model.Adapter is null)
        {
            // Straight from the mapped file, so that no weight is in memory twice.
            using var folder = ModelFolder.Open(path);
            foreach (var (slot, part) in parts)
            {
                if (!folder.Tensors.TryGetValue(slot.Name, out var found)) throw ModelingException.MissingTensor(path, slot.Name);
                ModelingException.RequireShape(path, slot.Name, found.Entry.Shape, slot.Shape);
                LanguageModelLoader.FillFromDisk(part, found.File, found.Entry);
            }
        }
        else
        {
            var (_, tensors) = AdapterFolder.Read(path);
            foreach (var (slot, part) in parts)
            {
                var found = tensors.GetValueOrDefault(slot.Name) ?? throw ModelingException.MissingTensor(path, slot.Name);
                ModelingException.RequireShape(path, slot.Name, found.Shape, slot.Shape);
                using var values = TensorMemory.Of<float>(found.Values.Span, [.. slot.Shape]);
                part.copy_(values);
            }
        }

        return scope.MoveToOuter(state);
    }

    /// <summary>The files of a folder that <see cref="Write"/> makes, with their sizes, before they are written.</summary>
    public static IReadOnlyList<(string Name, long SizeBytes)> Sizes(LanguageModel model) => model.Adapter is { } adapter
        ? AdapterFolder.Sizes(adapter, Outlines(model))
        : ModelFolderWriter.Sizes(model.Folder.Config, Outlines(model), model.Folder.Path, ConfigChanges(model));

    /// <summary>The file of such a folder that holds the values.</summary>
    public static string WeightsPath(string path, LanguageModel model) =>
        Path.Combine(path, model.Adapter is null ? ModelFolder.WeightsFile : AdapterFolder.WeightsFile);

    private static TensorOutline[] Outlines(LanguageModel model) =>
        [.. WithTwin(model, model.Layout.Slots.Select(slot => new TensorOutline(slot.Name, slot.Shape)), tensor => tensor.Name,
            (tensor, name) => tensor with { Name = name })];

    /// <summary>The tensors of a state, and once more under its second name the one that has two.</summary>
    private static IEnumerable<T> WithTwin<T>(LanguageModel model, IEnumerable<T> tensors, Func<T, string> nameOf, Func<T, string, T> named)
    {
        foreach (var tensor in tensors)
        {
            yield return tensor;
            if (model.Twin is { } twin && nameOf(tensor) == twin.Of) yield return named(tensor, twin.Key);
        }
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
        var values = single.ToArray<float>().AsMemory();
        var tensors = model.Layout.Slots
            .Select(slot => new HostTensor(slot.Name, slot.Shape, values.Slice((int)slot.Offset, (int)slot.Length)));
        return [.. WithTwin(model, tensors, tensor => tensor.Name, (tensor, name) => tensor with { Name = name })];
    }
}

/// <summary>A model with its adapter folded into the base weights, as an ordinary Hugging Face folder in float32.</summary>
public static class MergedModel
{
    /// <summary>Writes W + scaling B A of every adapted weight, and the others as they are.</summary>
    /// <param name="path">The folder to appear; it must not exist.</param>
    /// <param name="model">The model whose state it is.</param>
    /// <param name="theta">The trainable state [N].</param>
    public static void Write(string path, LanguageModel model, Tensor theta)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        HostTensor[] tensors = [.. model.MergedWeights(theta)
            .Select(weight => new HostTensor(weight.Name, weight.Weight.shape, weight.Weight.to(float32).ToArray<float>()))];
        ModelFolderWriter.Write(path, model.Folder.Config, tensors, model.Folder.Path, StateFolder.ConfigChanges(model));
    }
}
