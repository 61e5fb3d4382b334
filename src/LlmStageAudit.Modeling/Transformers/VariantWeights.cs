using LlmStageAudit.Modeling.Adapters;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// The weights of a forward pass over R variants of what trains, on a frozen base they have in common. The variants lie
/// behind one another along the batch, rows r B to (r + 1) B - 1 being variant r, so with x_r the rows of variant r
/// <code>y_r = x_r W' + b_r + scaling (x_r A_r') B_r'</code>
/// takes one product with W for all rows and one batched product for each side of the pairs.
/// </summary>
/// <param name="count">R.</param>
/// <param name="frozen">Base weights by name.</param>
/// <param name="trainable">Whole tensors that train (heads, biases), each with a leading dimension R.</param>
/// <param name="lora">Pairs by module name: A [R, r, in] and B [R, out, r].</param>
/// <param name="dropout">The masks of B rows; they act on every variant.</param>
internal sealed class VariantWeights(
    long count,
    IReadOnlyDictionary<string, Tensor> frozen,
    IReadOnlyDictionary<string, Tensor> trainable,
    IReadOnlyDictionary<string, LoraPair> lora,
    LoraDropout? dropout = null) : ForwardWeights(frozen, trainable, lora, dropout)
{
    public override Tensor Embed(string name, Tensor ids)
    {
        if (!Trains(name)) return base.Embed(name, ids);
        // One table of R V rows, and the ids of each variant moved to its part.
        var table = this[name];
        var (rows, vocabulary) = (ids.size(0), table.size(1));
        var starts = TensorMemory.Of([.. Enumerable.Range(0, (int)count).Select(r => r * vocabulary)], [count, 1, 1], ids.device);
        var moved = ids.reshape(count, rows / count, -1).plus(starts).reshape(rows, -1);
        return Rows(table.reshape(count * vocabulary, -1), moved);
    }

    public override Tensor Linear(string module, Tensor x)
    {
        var bias = module + ".bias";
        var y = nn.functional.linear(x, this[module + ".weight"], Trains(bias) ? null : Find(bias));
        if (Trains(bias)) y = AddPerVariant(y, this[bias]);
        if (!TryPair(module, out var pair)) return y;
        var low = Multiply(Multiply(PairInput(module, x, pair), pair.A), pair.B);
        return y.plus(low.reshape(y.shape), pair.Scaling).to(x.dtype);
    }

    public override Tensor LayerNorm(string name, Tensor x, double epsilon)
    {
        var bias = name + ".bias";
        if (!Trains(bias)) return base.LayerNorm(name, x, epsilon);
        var none = zeros([x.size(-1)], x.dtype, x.device);
        return AddPerVariant(nn.functional.layer_norm(x, [x.size(-1)], this[name + ".weight"], none, epsilon), this[bias]);
    }

    public override Tensor Project(string name, Tensor x) =>
        Trains(name) ? Multiply(x, this[name].to(x.dtype)).reshape([.. x.shape[..^1], this[name].size(1)]) : base.Project(name, x);

    /// <summary>[R B, T, in], through the same masks for every variant.</summary>
    private protected override Tensor Drop(string module, Tensor x, LoraDropout masks)
    {
        var shape = x.shape;
        return masks.Apply(module, x.reshape(count, shape[0] / count, shape[1], shape[2])).reshape(shape);
    }

    /// <summary>Rows of variant r times W_r': [R n, .., in] or [R, n, in] by [R, out, in] gives [R, n, out].</summary>
    private Tensor Multiply(Tensor x, Tensor weights) => x.reshape(count, -1, weights.size(2)).bmm(weights.transpose(1, 2));

    /// <summary>Adds row r of a bias [R, F] to the rows of variant r.</summary>
    private Tensor AddPerVariant(Tensor y, Tensor bias) => y.reshape(count, -1, bias.size(1)).plus(bias.unsqueeze(1)).reshape(y.shape);
}
