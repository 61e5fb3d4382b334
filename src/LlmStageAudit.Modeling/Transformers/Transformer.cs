using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// A model family's arithmetic: token ids to final hidden states, as pure functions of the weights handed in. Dimension
/// letters: B examples, T tokens, H hidden size, D head size, V vocabulary.
/// </summary>
internal abstract class Transformer
{
    /// <summary>Every weight of the trunk, the head of the language model left out.</summary>
    public abstract IReadOnlyList<WeightSlot> Trunk { get; }

    /// <summary>The linear layers of the trunk.</summary>
    public abstract IReadOnlyList<LinearModule> LinearModules { get; }

    /// <summary>The language-model head [V, H]; null where it is tied to the embedding.</summary>
    public abstract WeightSlot? LanguageModelHead { get; }

    /// <summary>Names the head also goes by on disk.</summary>
    public abstract IReadOnlyList<string> LanguageModelHeadAliases { get; }

    public abstract string EmbeddingName { get; }

    public abstract string CausalArchitecture { get; }

    public abstract string ClassificationArchitecture { get; }

    public abstract int HiddenSize { get; }

    public abstract int VocabularySize { get; }

    public abstract int MaxPositions { get; }

    public abstract double InitializerRange { get; }

    public abstract int? PadTokenId { get; }

    /// <summary>Whether a tensor on disk is a buffer the arithmetic recomputes, to be passed over.</summary>
    public abstract bool IsBuffer(string tensorName);

    /// <summary>Final hidden states [B, T, H] after the last norm.</summary>
    /// <param name="weights">What this pass sees.</param>
    /// <param name="ids">Token ids [B, T], int64.</param>
    /// <param name="mask">True where attention may look, [B, 1, T, T] or broadcastable: causal, and not at padding.</param>
    public abstract Tensor HiddenStates(ForwardWeights weights, Tensor ids, AttentionMask mask);

    /// <summary>The language model's logits [B, T, V] of final hidden states [B, T, H] under the head [V, H] of that name.</summary>
    public virtual Tensor TokenLogits(ForwardWeights weights, string head, Tensor hidden) => weights.Project(head, hidden);

    /// <summary>A fresh weight: normal with the model's initializer range, zeros or ones; a function of seed and name.</summary>
    public float[] Initialize(WeightSlot slot, long seed)
    {
        var values = new float[slot.Shape.Aggregate(1L, (product, extent) => product * extent)];
        if (slot.Init == WeightInit.Ones) Array.Fill(values, 1f);
        if (slot.Init != WeightInit.Normal) return values;
        var random = StableRandom.For(seed, "weight", slot.Name);
        for (var i = 0; i < values.Length; i++) values[i] = (float)(random.NextNormal() * InitializerRange);
        return values;
    }
}
