using static LlmStageAudit.Modeling.Tests.Derivations.PlainMath;

namespace LlmStageAudit.Modeling.Tests.Derivations;

/// <summary>GPT-NeoX written out token by token, with both orders of its residuals.</summary>
internal sealed record PlainNeoX
{
    public required int Heads { get; init; }

    public required int HeadSize { get; init; }

    public required int Layers { get; init; }

    public required double[] Frequencies { get; init; }

    public required bool Parallel { get; init; }

    public double Epsilon { get; init; } = 1e-3;

    public Func<double, double> Activation { get; init; } = Gelu;

    /// <summary>Whether a head's query, key and value lie side by side, rather than all queries first.</summary>
    public bool InterleavedHeads { get; init; } = true;

    public double[][] Logits(IReadOnlyDictionary<string, double[]> weights, int[] ids)
    {
        var hidden = Heads * HeadSize;
        var x = ids.Select(id => Head(weights["gpt_neox.embed_in.weight"], id, hidden)).ToArray();
        for (var layer = 0; layer < Layers; layer++)
        {
            var name = $"gpt_neox.layers.{layer}.";
            var attended = Attention(weights, name + "attention.", [.. x.Select(v => Norm(weights, name + "input_layernorm", v))]);
            var sum = x.Zip(attended, Add).ToArray();
            var fed = (Parallel ? x : sum).Select(v => Mlp(weights, name + "mlp.", Norm(weights, name + "post_attention_layernorm", v)));
            x = [.. sum.Zip(fed, Add)];
        }

        return [.. x.Select(v => Linear(weights["embed_out.weight"], Norm(weights, "gpt_neox.final_layer_norm", v)))];
    }

    private double[][] Attention(IReadOnlyDictionary<string, double[]> weights, string name, double[][] x)
    {
        var joined = x.Select(v => Linear(weights[name + "query_key_value.weight"], v, weights[name + "query_key_value.bias"])).ToArray();
        double[][][] Part(int part) =>
        [
            .. Enumerable.Range(0, Heads).Select(h => joined.Select((v, t) =>
            {
                var head = Head(v, InterleavedHeads ? (3 * h) + part : (part * Heads) + h, HeadSize);
                return part < 2 ? Rotate(head, Frequencies, t) : head;
            }).ToArray()),
        ];
        var (queries, keys, values) = (Part(0), Part(1), Part(2));
        double[] Gathered(int h, int t) => Attend(queries[h][t], keys[h], values[h], t, null, 1 / Math.Sqrt(HeadSize), null);
        return
        [
            .. x.Select((_, t) => Linear(
                weights[name + "dense.weight"],
                [.. Enumerable.Range(0, Heads).SelectMany(h => Gathered(h, t))],
                weights[name + "dense.bias"])),
        ];
    }

    private double[] Mlp(IReadOnlyDictionary<string, double[]> weights, string name, double[] x)
    {
        var inner = Linear(weights[name + "dense_h_to_4h.weight"], x, weights[name + "dense_h_to_4h.bias"]);
        return Linear(weights[name + "dense_4h_to_h.weight"], [.. inner.Select(Activation)], weights[name + "dense_4h_to_h.bias"]);
    }

    private double[] Norm(IReadOnlyDictionary<string, double[]> weights, string name, double[] x) =>
        LayerNorm(x, weights[name + ".weight"], weights[name + ".bias"], Epsilon);
}
