using LlmStageAudit.Modeling.Adapters;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// The weights one forward pass sees: frozen base tensors and the trainable ones laid over them, by Hugging Face name; LoRA
/// pairs are added where a linear layer has one. Where trainable weights meet activations, this type does it, so that a
/// transformer does not know how many variants of them a pass carries. R variants lie behind one another along the batch, rows
/// r B to (r + 1) B - 1 being variant r, so with x_r the rows of variant r
/// <code>y_r = x_r W' + b_r + scaling (x_r A_r') B_r'</code>
/// takes one product with W for all rows and one batched product for each side of the pairs.
/// </summary>
/// <param name="frozen">Base weights by name.</param>
/// <param name="trainable">Trainable whole tensors (heads, or every weight in full training) by the same names.</param>
/// <param name="lora">LoRA pairs by module name, such as gpt_neox.layers.0.attention.query_key_value.</param>
/// <param name="dropout">On the inputs of the pairs, in training, the masks of B rows; null for none.</param>
/// <param name="variants">R, where all that trains has a leading dimension R; null for one set of weights.</param>
internal sealed class ForwardWeights(
    IReadOnlyDictionary<string, Tensor> frozen,
    IReadOnlyDictionary<string, Tensor> trainable,
    IReadOnlyDictionary<string, LoraPair> lora,
    LoraDropout? dropout,
    long? variants = null)
{
    public Tensor this[string name] => trainable.TryGetValue(name, out var tensor) ? tensor : frozen[name];

    /// <summary>Rows of a table [V, H] by token ids [B, T]: [B, T, H].</summary>
    public Tensor Embed(string name, Tensor ids)
    {
        var table = this[name];
        if (Varies(name, out var count))
        {
            // One table of R V rows, and the ids of each variant moved to its part.
            var (rows, vocabulary) = (ids.size(0), table.size(1));
            var starts = TensorMemory.Of([.. Enumerable.Range(0, (int)count).Select(r => r * vocabulary)], [count, 1, 1], ids.device);
            ids = ids.reshape(count, rows / count, -1).plus(starts).reshape(rows, -1);
            table = table.reshape(count * vocabulary, -1);
        }

        return table.index_select(0, ids.reshape(-1)).view([.. ids.shape, table.size(1)]);
    }

    /// <summary>x W' + b + scaling (x A') B' for the linear layer of that module name: [.., in] to [.., out].</summary>
    public Tensor Linear(string module, Tensor x)
    {
        var (weight, bias) = (this[module + ".weight"], module + ".bias");
        var y = Varies(bias, out _)
            ? AddPerVariant(nn.functional.linear(x, weight), this[bias])
            : nn.functional.linear(x, weight, trainable.GetValueOrDefault(bias) ?? frozen.GetValueOrDefault(bias));
        if (!lora.TryGetValue(module, out var pair)) return y;
        // Pairs compute in their own dtype, as PEFT's do beside a base in half precision.
        var input = x.to(pair.A.dtype);
        if (dropout is not null) input = Drop(module, input, dropout);
        var low = variants is null
            ? nn.functional.linear(nn.functional.linear(input, pair.A), pair.B)
            : Multiply(Multiply(input, pair.A), pair.B).reshape(y.shape);
        return y.plus(low, pair.Scaling).to(x.dtype);
    }

    /// <summary>Layer normalisation over the last dimension with the weight and bias under that name.</summary>
    public Tensor LayerNorm(string name, Tensor x, double epsilon)
    {
        var (weight, bias, size) = (this[name + ".weight"], this[name + ".bias"], x.size(-1));
        return Varies(name + ".bias", out _)
            ? AddPerVariant(nn.functional.layer_norm(x, [size], weight, zeros([size], x.dtype, x.device), epsilon), bias)
            : nn.functional.layer_norm(x, [size], weight, bias, epsilon);
    }

    /// <summary>x W' in the dtype of x for a head's weight: [.., H] to [.., out].</summary>
    public Tensor Project(string name, Tensor x)
    {
        var weight = this[name].to(x.dtype);
        return Varies(name, out _)
            ? Multiply(x, weight).reshape([.. x.shape[..^1], weight.size(1)])
            : nn.functional.linear(x, weight);
    }

    /// <summary>A weight with its layer's LoRA pair folded in: W + scaling B A.</summary>
    public Tensor Merged(string name) =>
        name.EndsWith(".weight", StringComparison.Ordinal) && lora.TryGetValue(name[..^".weight".Length], out var pair)
            ? this[name].to(pair.A.dtype).plus(pair.B.mm(pair.A), pair.Scaling)
            : this[name];

    private bool Varies(string name, out long count)
    {
        count = variants ?? 1;
        return variants is not null && trainable.ContainsKey(name);
    }

    /// <summary>[R B, T, in], through the same masks for every variant.</summary>
    private Tensor Drop(string module, Tensor x, LoraDropout masks) => variants is { } count
        ? masks.Apply(module, x.reshape(count, x.size(0) / count, x.size(1), x.size(2))).reshape(x.shape)
        : masks.Apply(module, x);

    /// <summary>Rows of variant r times W_r': [R n, .., in] or [R, n, in] by [R, out, in] gives [R, n, out].</summary>
    private static Tensor Multiply(Tensor x, Tensor weights) =>
        x.reshape(weights.size(0), -1, weights.size(2)).bmm(weights.transpose(1, 2));

    /// <summary>Adds row r of a bias [R, F] to the rows of variant r.</summary>
    private static Tensor AddPerVariant(Tensor y, Tensor bias) =>
        y.reshape(bias.size(0), -1, bias.size(1)).plus(bias.unsqueeze(1)).reshape(y.shape);
}
