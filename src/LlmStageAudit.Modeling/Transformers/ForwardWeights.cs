using LlmStageAudit.Modeling.Adapters;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// The weights one forward pass sees: frozen base tensors and the trainable ones laid over them, by Hugging Face name; LoRA
/// pairs are added where a linear layer has one. Where trainable weights meet activations, this type does it, so that a
/// transformer does not know how many variants of them a pass carries.
/// </summary>
/// <param name="frozen">Base weights by name.</param>
/// <param name="trainable">Trainable whole tensors (heads, or every weight in full training) by the same names.</param>
/// <param name="lora">LoRA pairs by module name, such as gpt_neox.layers.0.attention.query_key_value.</param>
/// <param name="dropout">On the inputs of the pairs, in training; null for none.</param>
internal class ForwardWeights(
    IReadOnlyDictionary<string, Tensor> frozen,
    IReadOnlyDictionary<string, Tensor> trainable,
    IReadOnlyDictionary<string, LoraPair> lora,
    LoraDropout? dropout = null)
{
    public Tensor this[string name] => trainable.TryGetValue(name, out var tensor) ? tensor : frozen[name];

    public Tensor? Find(string name) =>
        trainable.TryGetValue(name, out var tensor) ? tensor : frozen.GetValueOrDefault(name);

    /// <summary>Rows of a table [V, H] by token ids [B, T]: [B, T, H].</summary>
    public virtual Tensor Embed(string name, Tensor ids) => Rows(this[name], ids);

    /// <summary>x W' + b + scaling (x A') B' for the linear layer of that module name: [.., in] to [.., out].</summary>
    public virtual Tensor Linear(string module, Tensor x)
    {
        var y = nn.functional.linear(x, this[module + ".weight"], Find(module + ".bias"));
        return TryPair(module, out var pair)
            ? y.plus(nn.functional.linear(nn.functional.linear(PairInput(module, x, pair), pair.A), pair.B), pair.Scaling).to(x.dtype)
            : y;
    }

    /// <summary>Layer normalisation over the last dimension with the weight and bias under that name.</summary>
    public virtual Tensor LayerNorm(string name, Tensor x, double epsilon) =>
        nn.functional.layer_norm(x, [x.size(-1)], this[name + ".weight"], this[name + ".bias"], epsilon);

    /// <summary>x W' in the dtype of x for a head's weight: [.., H] to [.., out].</summary>
    public virtual Tensor Project(string name, Tensor x) => nn.functional.linear(x, this[name].to(x.dtype));

    /// <summary>A weight with its layer's LoRA pair folded in: W + scaling B A.</summary>
    public Tensor Merged(string name) =>
        name.EndsWith(".weight", StringComparison.Ordinal) && lora.TryGetValue(name[..^".weight".Length], out var pair)
            ? this[name].to(pair.A.dtype).plus(pair.B.mm(pair.A), pair.Scaling)
            : this[name];

    /// <summary>Rows of a table [V, H] by ids of any shape: [.., H].</summary>
    private protected static Tensor Rows(Tensor table, Tensor ids) => table.index_select(0, ids.reshape(-1)).view([.. ids.shape, table.size(1)]);

    private protected bool Trains(string name) => trainable.ContainsKey(name);

    private protected bool TryPair(string module, out LoraPair pair) => lora.TryGetValue(module, out pair);

    /// <summary>What a pair is multiplied with. Pairs compute in their own dtype, as PEFT's do beside a base in half precision.</summary>
    private protected Tensor PairInput(string module, Tensor x, LoraPair pair)
    {
        var input = x.to(pair.A.dtype);
        return dropout is null ? input : Drop(module, input, dropout);
    }

    private protected virtual Tensor Drop(string module, Tensor x, LoraDropout masks) => masks.Apply(module, x);
}
