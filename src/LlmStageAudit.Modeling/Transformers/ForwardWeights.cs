using LlmStageAudit.Modeling.Adapters;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// The weights one forward pass sees: frozen base tensors and the trainable ones laid over them, by Hugging Face name; LoRA
/// pairs are added where a linear layer has one.
/// </summary>
/// <param name="frozen">Base weights by name.</param>
/// <param name="trainable">Trainable whole tensors (heads, or every weight in full training) by the same names.</param>
/// <param name="lora">LoRA pairs by module name, such as gpt_neox.layers.0.attention.query_key_value.</param>
/// <param name="dropout">On the inputs of the pairs, in training; null for none.</param>
public sealed class ForwardWeights(
    IReadOnlyDictionary<string, Tensor> frozen,
    IReadOnlyDictionary<string, Tensor> trainable,
    IReadOnlyDictionary<string, LoraPair> lora,
    LoraDropout? dropout = null)
{
    public Tensor this[string name] => trainable.TryGetValue(name, out var tensor) ? tensor : frozen[name];

    public Tensor? Find(string name) =>
        trainable.TryGetValue(name, out var tensor) ? tensor : frozen.GetValueOrDefault(name);

    /// <summary>x W' + b + scaling (x A') B' for the linear layer of that module name: [.., in] to [.., out].</summary>
    public Tensor Linear(string module, Tensor x)
    {
        var y = nn.functional.linear(x, this[module + ".weight"], Find(module + ".bias"));
        if (!lora.TryGetValue(module, out var pair)) return y;
        // Pairs compute in their own dtype, as PEFT's do beside a base in half precision.
        var input = x.to(pair.A.dtype);
        if (dropout is not null) input = dropout.Apply(module, input);
        return y.add(nn.functional.linear(nn.functional.linear(input, pair.A), pair.B), pair.Scaling).to(x.dtype);
    }

    /// <summary>A weight with its layer's LoRA pair folded in: W + scaling B A.</summary>
    public Tensor Merged(string name) =>
        name.EndsWith(".weight", StringComparison.Ordinal) && lora.TryGetValue(name[..^".weight".Length], out var pair)
            ? this[name].to(pair.A.dtype).add(matmul(pair.B, pair.A), pair.Scaling)
            : this[name];
}
