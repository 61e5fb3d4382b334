using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Modeling.Parameters;
using TorchSharp.Modules;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>What a family calls its parts in checkpoints.</summary>
/// <param name="CausalClass">The class of its language model, as in config.json.</param>
/// <param name="ClassifierClass">The class of its classifier.</param>
/// <param name="Embedding">The token embedding.</param>
/// <param name="Layers">What numbers of layers are put behind.</param>
/// <param name="FinalNorm">The norm after the last layer.</param>
/// <param name="Head">The head of the language model, where it has one of its own.</param>
internal sealed record FamilyNames(
    string CausalClass, string ClassifierClass, string Embedding, string Layers, string FinalNorm, string Head);

/// <summary>
/// A model family's arithmetic: token ids to final hidden states, as pure functions of the weights handed in. Dimension
/// letters: B examples, T tokens, H hidden size, D head size, V vocabulary.
/// </summary>
internal abstract class Transformer : IDisposable
{
    /// <summary>
    /// Says which weights there are: of a layer the norms, with what weights each has, and the linear layers, with their names in it.
    /// </summary>
    private protected Transformer(
        TransformerConfig config,
        FamilyNames names,
        IReadOnlyList<(string Name, long Size)> layerNorms,
        Func<string, long, WeightSlot[]> norm,
        IReadOnlyList<LinearModule> layerModules)
    {
        (Config, Names) = (config, names);
        Embedding = new WeightSlot(names.Embedding + ".weight", [config.VocabularySize, config.HiddenSize], WeightInit.Normal);
        LanguageModelHead = config.TieWordEmbeddings ? null : Embedding with { Name = names.Head + ".weight" };
        var trunk = new List<WeightSlot> { Embedding };
        var modules = new List<LinearModule>();
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            foreach (var (name, size) in layerNorms) trunk.AddRange(norm($"{names.Layers}.{layer}.{name}", size));
            foreach (var module in layerModules.Select(module => module with { Name = $"{names.Layers}.{layer}.{module.Name}" }))
            {
                modules.Add(module);
                trunk.Add(new WeightSlot(module.Name + ".weight", [module.Out, module.In], WeightInit.Normal));
                if (module.HasBias) trunk.Add(new WeightSlot(module.Name + ".bias", [module.Out], WeightInit.Zeros));
            }
        }

        (Trunk, LinearModules) = ([.. trunk, .. norm(names.FinalNorm, config.HiddenSize)], modules);
    }

    public TransformerConfig Config { get; }

    public FamilyNames Names { get; }

    /// <summary>Every weight of the trunk, the head of the language model left out.</summary>
    public IReadOnlyList<WeightSlot> Trunk { get; }

    /// <summary>The linear layers of the trunk.</summary>
    public IReadOnlyList<LinearModule> LinearModules { get; }

    /// <summary>The token embedding [V, H].</summary>
    public WeightSlot Embedding { get; }

    /// <summary>The language-model head [V, H]; null where it is tied to the embedding.</summary>
    public WeightSlot? LanguageModelHead { get; }

    /// <summary>Names the head also goes by on disk, a tied head's copy too.</summary>
    public IReadOnlyList<string> LanguageModelHeadAliases { get; } = ["lm_head.weight"];

    /// <summary>The modules of the model with that head.</summary>
    public ModelModules ModulesWith(WeightSlot head)
    {
        var own = head == Embedding ? [] : new[] { ModelModules.ModuleOf(head.Name) };
        var others = head == Embedding || head == LanguageModelHead ? LanguageModelHeadAliases.Select(ModelModules.ModuleOf) : [];
        return new ModelModules(LinearModules, Trunk, Embedding, head, [.. own.Union(others)]);
    }

    /// <summary>Whether a tensor on disk is a buffer the arithmetic recomputes, to be passed over.</summary>
    public virtual bool IsBuffer(string tensorName) => tensorName.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    /// <summary>Final hidden states [B, T, H] after the last norm, of token ids [B, T], int64.</summary>
    public abstract Tensor HiddenStates(ForwardWeights weights, Tensor ids, AttentionMask mask);

    /// <summary>The language model's logits [B, T, V] of final hidden states [B, T, H] under the head [V, H] of that name.</summary>
    public virtual Tensor TokenLogits(ForwardWeights weights, string head, Tensor hidden) => weights.Project(head, hidden);

    /// <summary>A fresh weight: normal with the model's initializer range, zeros or ones; a function of seed and name.</summary>
    public float[] Initialize(WeightSlot slot, long seed)
    {
        var values = new float[slot.Length];
        if (slot.Init == WeightInit.Ones) Array.Fill(values, 1f);
        if (slot.Init != WeightInit.Normal) return values;
        var random = StableRandom.For(seed, "weight", slot.Name);
        for (var i = 0; i < values.Length; i++) values[i] = (float)(random.NextNormal() * Config.InitializerRange);
        return values;
    }

    public abstract void Dispose();

    /// <summary>The activation of the MLPs, element by element.</summary>
    private protected static Tensor Activate(string name, Tensor x) => name switch
    {
        "gelu" => x.gelu(),
        "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" => x.gelu(GELU.Approximate.tanh),
        "relu" => x.relu(),
        "silu" => x.silu(),
        _ => throw new ArgumentException($"no activation '{name}'", nameof(name)),
    };
}
