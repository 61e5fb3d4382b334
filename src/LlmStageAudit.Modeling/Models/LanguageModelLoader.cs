using System.Diagnostics;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Parameters;
using LlmStageAudit.Modeling.Transformers;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Models;

/// <summary>Opens a Hugging Face model folder as a <see cref="LanguageModel"/> with its starting state.</summary>
public sealed class LanguageModelLoader
{
    private const string ClassificationHead = "score.weight";

    private readonly ModelFolder _folder;
    private readonly LanguageModelOptions _options;
    private readonly Transformer _transformer;
    private readonly BaseTensorNames _names;
    private readonly List<Warning> _warnings = [];
    private readonly HashSet<string> _used = [];
    private readonly Stopwatch _drawing = new();

    // Of the base; null where its weights are drawn.
    private readonly Lazy<string?> _fingerprint;

    private LanguageModelLoader(ModelFolder folder, LanguageModelOptions options)
    {
        (_folder, _options, _transformer) = (folder, options, TransformerFamilies.Create(folder.Config));
        _fingerprint = new(() => options.Weights == ModelWeights.Random ? null : BaseFingerprint.Of(folder));
        _names = BaseTensorNames.Of(folder.Tensors.Keys, _transformer.Embedding.Name);
        RefuseOtherHead();
        if (options.ForTraining && _transformer.Config.Dropout is { } dropout)
        {
            throw ModelingException.At(
                folder.Config.Path, $"{dropout} acts in training, and is not supported", "0",
                "set it to 0; the adapter's dropout is a setting of its own");
        }
    }

    /// <summary>Opens a model folder, places what is to train on it and makes the state training starts from.</summary>
    /// <param name="path">The model folder.</param>
    /// <param name="options">What is to train, how it starts, and where it lives.</param>
    /// <returns>The model, and its trainable state at the start [N], detached from the current dispose scope.</returns>
    /// <exception cref="InvalidInputException">The folder, its weights or the adapter cannot be used; the message says why.</exception>
    public static (LanguageModel Model, Tensor InitialState) Load(string path, LanguageModelOptions options)
    {
        TorchEngine.Require();
        // On a GPU some sums vary from run to run unless they are told not to, and a replay has to repeat the training.
        if (options.Device is { type: DeviceType.CUDA }) TorchEngine.Deterministic = true;
        var folder = ModelFolder.Open(path);
        try
        {
            if (options.Weights == ModelWeights.Pretrained) folder.RequireWeights();
            using var scope = NewDisposeScope();
            using var off = no_grad();
            var (model, initial) = new LanguageModelLoader(folder, options).Load(path, scope);
            return (model, scope.Detach(initial));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>What a model would hold once loaded, from its configuration alone: no weight is read.</summary>
    /// <exception cref="InvalidInputException">
    /// As for <see cref="Load(string, LanguageModelOptions)"/>, as far as it shows without weights.
    /// </exception>
    public static ModelFootprint Footprint(string path, LanguageModelOptions options)
    {
        using var folder = ModelFolder.Open(path);
        var (_, _, _, frozen, layout) = new LanguageModelLoader(folder, options).Roles();
        var bytes = (options.ComputeDtype ?? options.Dtype) == bfloat16 ? 2 : 4;
        return new ModelFootprint(frozen.Sum(slot => slot.Length) * bytes, layout.Count);
    }

    /// <summary>Which weights there are, and which of them train.</summary>
    private (WeightSlot Head, LoraPlacement? Placement, WeightSlot[] All, WeightSlot[] Frozen, ParameterLayout Layout) Roles()
    {
        var head = _options.Task == ModelTask.SequenceClassification
            ? new WeightSlot(ClassificationHead, [_options.Labels, _transformer.Config.HiddenSize], WeightInit.Normal)
            : _transformer.LanguageModelHead ?? _transformer.Embedding;
        var placement = _options.Adapter is { } adapter
            ? LoraPlacement.Of(
                adapter.Config with { BaseFingerprint = _fingerprint.Value }, adapter.Source, _transformer.ModulesWith(head))
            : null;
        WeightSlot[] all = head == _transformer.Embedding ? [.. _transformer.Trunk] : [.. _transformer.Trunk, head];
        if (placement is null) return (head, null, all, [], new ParameterLayout(all.Select(slot => (slot.Name, slot.Shape))));
        var saved = placement.SavedWeights.ToHashSet();
        return (head, placement, all, [.. all.Where(slot => !saved.Contains(slot.Name))], new ParameterLayout(placement.Parameters()));
    }

    private (LanguageModel Model, Tensor InitialState) Load(string path, DisposeScope scope)
    {
        var (head, placement, all, frozenSlots, layout) = Roles();
        var frozenDtype = _options.ComputeDtype ?? _options.Dtype;
        var frozen = frozenSlots.ToDictionary(slot => slot.Name, slot => scope.Detach(Weight(slot, frozenDtype)));
        var initial = placement is null
            ? WholeState(layout, all)
            : layout.Join([.. layout.Slots.Select(slot => AdapterTensor(slot, placement))]);
        RefuseUnusedAdapterTensors(layout, placement?.Twin);
        NoteFiles(path);
        if (placement is not null) NoteAdapter(placement);
        NoteUnusedTensors(placement);
        var model = new LanguageModel(_transformer, _folder, _options, frozen, placement, layout, head.Name, _warnings)
        {
            RandomSeconds = _drawing.Elapsed.TotalSeconds,
        };
        return (model, initial);
    }

    /// <summary>Every weight in the flat state [N]. They are read into it, so that no weight is in memory twice.</summary>
    private Tensor WholeState(ParameterLayout layout, WeightSlot[] all)
    {
        var names = all.Select(NameOnDisk).ToArray();
        var state = Blank(_options.Dtype, layout.Count);
        foreach (var (view, slot, name) in layout.Split(state).Zip(all, names)) Fill(view, slot, name);
        return state;
    }

    /// <summary>A base weight, from disk or from the seed.</summary>
    private Tensor Weight(WeightSlot slot, ScalarType dtype)
    {
        var name = NameOnDisk(slot);
        var weight = Blank(dtype, [.. slot.Shape]);
        Fill(weight, slot, name);
        return weight;
    }

    private Tensor Blank(ScalarType dtype, params long[] shape) => zeros(shape, dtype, _options.Device ?? CPU);

    /// <summary>The tensor of the folder a weight is to be read from; null where it starts from the seed.</summary>
    private string? NameOnDisk(WeightSlot slot)
    {
        if (_options.Weights == ModelWeights.Random) return null;
        string[] names = slot == _transformer.LanguageModelHead ? [slot.Name, .. _transformer.LanguageModelHeadAliases] : [slot.Name];
        if (names.Select(_names.OnDisk).FirstOrDefault(name => name is not null) is { } name)
        {
            var (file, entry) = _folder.Tensors[name];
            if (slot.Name == ClassificationHead && entry.Shape is [var rows, _] && rows != _options.Labels)
            {
                throw ModelingException.At(
                    file.Path,
                    $"the classification head '{name}' has {rows} classes",
                    $"{_options.Labels}, as {(_options.ForTraining ? "model.labels says (its default is 2)" : "the configuration says")}",
                    _options.ForTraining ? $"set model.labels: {rows}" : null);
            }

            ModelingException.RequireShape(file.Path, name, entry.Shape, slot.Shape);
            return name;
        }

        if (slot.Name == ClassificationHead && _options.ForTraining) return null;
        var missing = _transformer.Trunk.Select(other => other.Name).Where(other => _names.OnDisk(other) is null);
        var others = missing.Where(other => other != slot.Name).ToArray();
        throw ModelingException.MissingTensor(_folder.Path, slot.Name, _folder.Tensors.Keys, others);
    }

    private void Fill(Tensor weight, WeightSlot slot, string? name)
    {
        if (name is not null)
        {
            var (file, entry) = _folder.Tensors[name];
            _used.Add(name);
            FillFromDisk(weight, file, entry);
            return;
        }

        if (slot.Name == ClassificationHead && _options.Adapter?.Tensors is not null)
            _warnings.Add(new Warning("fresh-head", $"the classification head starts at random from seed {_options.Seed}: {HeadlessFile} has none"));
        _drawing.Start();
        var seed = slot.Name == ClassificationHead ? _options.Seed : _options.BaseSeed;
        using var fresh = TensorMemory.Of(_transformer.Initialize(slot, seed), [.. slot.Shape]);
        weight.copy_(fresh);
        _drawing.Stop();
    }

    /// <summary>
    /// The values of a file's tensor into one of the same shape. The mapped pages are converted on their way: of the file, no more than a
    /// window is ever resident.
    /// </summary>
    internal static void FillFromDisk(Tensor weight, SafetensorsFile file, TensorEntry entry)
    {
        ScalarType? direct = entry.Dtype switch
        {
            SafetensorsDtype.F32 => ScalarType.Float32,
            SafetensorsDtype.F16 => ScalarType.Float16,
            SafetensorsDtype.BF16 => ScalarType.BFloat16,
            _ => null,
        };
        if (direct is not { } type)
        {
            using var whole = TensorMemory.Of(file.ReadSingles(entry.Name), [.. entry.Shape]);
            weight.copy_(whole);
            return;
        }

        using var flat = weight.view(-1);
        file.ReadWindows(entry, (address, first, count) =>
        {
            using var source = TensorMemory.Over(address, [count], type);
            using var target = flat.narrow(0, first, count);
            target.copy_(source);
        });
    }

    private string HeadlessFile =>
        _options.Adapter is { HoldsNoHead: true } adapter ? $"the adapter, trained for {adapter.TrainedFor}," : "the folder";

    /// <summary>An adapter parameter: from the adapter's file; without one a pair starts fresh, a bias or a head as in the base.</summary>
    private Tensor AdapterTensor(ParameterSlot slot, LoraPlacement placement)
    {
        var adapter = _options.Adapter!;
        if (adapter.Tensors?.GetValueOrDefault(slot.Name) is { } given)
        {
            ModelingException.RequireShape(adapter.Source, slot.Name, given.Shape, slot.Shape);
            return Placed(given.Values.Span);
        }

        var replaced = placement.Replaces(slot.Name);
        if (adapter.Tensors is not null && !(replaced?.Name == ClassificationHead && adapter.HoldsNoHead))
            throw ModelingException.MissingTensor(adapter.Source, slot.Name, adapter.Tensors.Keys);
        return replaced is not null
            ? Weight(replaced, _options.Dtype)
            : Placed(LoraPlacement.Initialize(adapter.Config.Start, slot.Name, slot.Shape, _options.Seed));

        Tensor Placed(ReadOnlySpan<float> values) =>
            TensorMemory.Of(values, [.. slot.Shape]).to(_options.Dtype).to(_options.Device ?? CPU);
    }

    /// <summary>
    /// Every tensor of an adapter has to act. Embeddings and heads that PEFT saved along (save_embedding_layers, after a vocabulary was
    /// resized) are passed over where they are the base's own.
    /// </summary>
    private void RefuseUnusedAdapterTensors(ParameterLayout layout, (string Key, string Of)? twin)
    {
        if (_options.Adapter?.Tensors is not { } tensors) return;
        var known = layout.Slots.Select(slot => slot.Name).ToHashSet();
        if (twin is { } both && tensors.TryGetValue(both.Key, out var copy))
        {
            known.Add(both.Key);
            if (!copy.Values.Span.SequenceEqual(tensors[both.Of].Values.Span))
            {
                throw ModelingException.At(
                    _options.Adapter.Source, $"'{both.Key}' differs from '{both.Of}'", "the same values, as of one weight",
                    "with ensure_weight_tying PEFT keeps them equal: fetch the adapter again");
            }
        }

        foreach (var name in tensors.Keys.Order(StringComparer.Ordinal).Where(name => !known.Contains(name)))
        {
            var weight = name.StartsWith(AdapterFolder.KeyPrefix, StringComparison.Ordinal)
                ? name[AdapterFolder.KeyPrefix.Length..].Replace(".base_layer.", ".", StringComparison.Ordinal)
                : name;
            var slot = weight == _transformer.Embedding.Name ? _transformer.Embedding
                : weight == _transformer.LanguageModelHead?.Name || _transformer.LanguageModelHeadAliases.Contains(weight)
                    ? _transformer.LanguageModelHead ?? _transformer.Embedding
                : null;
            if (slot is null)
            {
                throw ModelingException.At(
                    _options.Adapter.Source, $"tensor '{name}' belongs to no module of this model", null,
                    "the adapter was made for another model");
            }

            var found = tensors[name];
            if (!found.Shape.SequenceEqual(slot.Shape))
            {
                throw ModelingException.At(
                    _options.Adapter.Source,
                    $"the saved '{name}' has {found.Shape[0]} rows, and the base {slot.Shape[0]}",
                    "a base with the same vocabulary",
                    "the adapter was trained after its vocabulary was resized: resize and save the base too");
            }

            if (_options.Weights == ModelWeights.Random || NameOnDisk(slot) is null) continue;
            using var own = Weight(slot, float32);
            if (own.reshape(-1).to(CPU).ToArray<float>().AsSpan().SequenceEqual(found.Values.Span)) continue;
            throw ModelingException.At(
                _options.Adapter.Source,
                $"the saved '{name}' differs from the base's",
                "the base's own, as save_embedding_layers copies it",
                "merge it into the base first: it would change the results, and the adapters saved here could not hold it");
        }
    }

    /// <summary>What a head does that is no softmax over classes.</summary>
    private void RefuseOtherHead()
    {
        if (_options.Task != ModelTask.SequenceClassification) return;
        if (_folder.Config.ProblemType is { } type and not "single_label_classification")
        {
            throw ModelingException.At(
                _folder.Config.Path, $"problem_type '{type}': its head is not a softmax over classes", "single_label_classification",
                "take a model with one label per text, or remove the key where it is not meant");
        }

        if (_options.Labels == 1)
        {
            throw ModelingException.At(
                _folder.Config.Path, "one label (num_labels or id2label): such a head is a regression", "two classes or more",
                "take a model with a class per label");
        }
    }

    private void NoteFiles(string path)
    {
        if (_folder.Path != path) _warnings.Add(new Warning("hub-cache", $"{path} is a cache of the model hub: taken is {_folder.Path}"));
        if (_options.Weights == ModelWeights.Pretrained && _names.Note is { } note)
            _warnings.Add(new Warning("tensor-names", $"{_folder.Path}: {note}"));
        if (_folder.Config.UnknownKeys is { Count: > 0 } keys)
        {
            var named = string.Join(", ", keys.Take(5).Select(Shown.Plain)) + (keys.Count > 5 ? ", ..." : "");
            _warnings.Add(new Warning("unknown-keys", $"{_folder.Config.Path}: {named}: not known here, so that nothing acts on it"));
        }
    }

    private void NoteAdapter(LoraPlacement placement)
    {
        _warnings.AddRange(placement.Config.Warnings.Concat(placement.Notes).Select(note => new Warning("adapter-config", note)));
        if (_options.Adapter!.Config.BaseFingerprint is { } other && other != _fingerprint.Value)
        {
            _warnings.Add(new Warning(
                "other-base", $"{_options.Adapter.Source}: the adapter was trained on a base with other weights than {_folder.Path}"));
        }

        if (_options.Adapter.Tensors is null && placement.Config.Start is LoraStart.Gaussian or LoraStart.Linear)
        {
            _warnings.Add(new Warning(
                "adapter-start", $"init_lora_weights {placement.Config.Start}: distributed as by PEFT, the draws are this program's own"));
        }
    }

    private void NoteUnusedTensors(LoraPlacement? placement)
    {
        if (_options.Weights == ModelWeights.Random) return;
        HashSet<string?> passedOver =
        [
            .. _transformer.LanguageModelHeadAliases, _transformer.LanguageModelHead?.Name, ClassificationHead,
            .. placement?.SavedWeights ?? [],
        ];
        var unused = _folder.Tensors.Keys
            .Where(name => !_used.Contains(name) && _names.Canonical(name) is var canonical
                && !_transformer.IsBuffer(canonical) && !passedOver.Contains(canonical))
            .Order(StringComparer.Ordinal)
            .ToArray();
        if (unused.Length > 0)
            _warnings.Add(new Warning(
                "unused-tensors",
                $"{unused.Length} tensors of the folder are not part of the model: {string.Join(", ", unused.Take(5))}"));
    }
}

/// <summary>What a loaded model holds in memory.</summary>
/// <param name="FrozenBytes">Weights that do not train, in the dtype the base computes in.</param>
/// <param name="TrainableCount">N, the trainable parameters.</param>
public readonly record struct ModelFootprint(long FrozenBytes, long TrainableCount);
