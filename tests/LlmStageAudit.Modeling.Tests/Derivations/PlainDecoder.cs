using static LlmStageAudit.Modeling.Tests.Derivations.PlainMath;

namespace LlmStageAudit.Modeling.Tests.Derivations;

/// <summary>
/// Llama and the Gemmas written out token by token from their papers. What sets the families apart is a property each, so that
/// a test can get one of them wrong on purpose.
/// </summary>
internal sealed record PlainDecoder
{
    public required int Heads { get; init; }

    public required int KeyHeads { get; init; }

    public required int HeadSize { get; init; }

    public required int Layers { get; init; }

    /// <summary>Per layer.</summary>
    public required Func<int, double[]> Frequencies { get; init; }

    /// <summary>Scores are divided by its root.</summary>
    public required double Scalar { get; init; }

    public Func<double, double> Activation { get; init; } = GeluTanh;

    /// <summary>Tokens each layer sees; null for all.</summary>
    public Func<int, int?> Window { get; init; } = _ => null;

    public double EmbeddingScale { get; init; } = 1;

    /// <summary>1 where a norm's gain is 1 + w.</summary>
    public double NormOffset { get; init; }

    public double Epsilon { get; init; } = 1e-3;

    public double? AttentionCap { get; init; }

    public double? FinalCap { get; init; }

    /// <summary>Whether queries and keys are normalised.</summary>
    public bool HeadNorms { get; init; }

    /// <summary>Whether attention and MLP have a norm behind them too.</summary>
    public bool PostNorms { get; init; }

    /// <summary>Whether scores are capped before they are scaled rather than after.</summary>
    public bool CapBeforeScale { get; init; }

    /// <summary>The key head of a query head.</summary>
    public Func<int, int>? KeyHeadOf { get; init; }

    /// <summary>Final hidden states, per token.</summary>
    public double[][] Hidden(IReadOnlyDictionary<string, double[]> weights, int[] ids)
    {
        var hidden = weights["model.norm.weight"].Length;
        var table = weights["model.embed_tokens.weight"];
        var x = ids.Select(id => Head(table, id, hidden).Select(v => v * EmbeddingScale).ToArray()).ToArray();
        for (var layer = 0; layer < Layers; layer++)
        {
            var name = $"model.layers.{layer}.";
            var attended = Attention(weights, name + "self_attn.", layer, [.. x.Select(v => Norm(weights, name + "input_layernorm", v))]);
            if (PostNorms) attended = [.. attended.Select(v => Norm(weights, name + "post_attention_layernorm", v))];
            x = [.. x.Zip(attended, Add)];
            var before = name + (PostNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm");
            var fed = x.Select(v => Mlp(weights, name + "mlp.", Norm(weights, before, v)));
            if (PostNorms) fed = fed.Select(v => Norm(weights, name + "post_feedforward_layernorm", v));
            x = [.. x.Zip(fed, Add)];
        }

        return [.. x.Select(v => Norm(weights, "model.norm", v))];
    }

    /// <summary>Logits per token, with the embedding for a head where there is no other.</summary>
    public double[][] Logits(IReadOnlyDictionary<string, double[]> weights, int[] ids)
    {
        var head = weights.GetValueOrDefault("lm_head.weight") ?? weights["model.embed_tokens.weight"];
        double Capped(double logit) => FinalCap is { } cap ? cap * Math.Tanh(logit / cap) : logit;
        return [.. Hidden(weights, ids).Select(v => Linear(head, v).Select(Capped).ToArray())];
    }

    private double[][] Attention(IReadOnlyDictionary<string, double[]> weights, string name, int layer, double[][] x)
    {
        double[][][] Project(string module, int heads, bool turned) =>
        [
            .. Enumerable.Range(0, heads).Select(h => x.Select((v, t) =>
            {
                var all = Linear(weights[name + module + "_proj.weight"], v, weights.GetValueOrDefault(name + module + "_proj.bias"));
                var head = Head(all, h, HeadSize);
                if (turned && HeadNorms) head = Norm(weights, name + module + "_norm", head);
                return turned ? Rotate(head, Frequencies(layer), t) : head;
            }).ToArray()),
        ];
        var (queries, keys, values) = (Project("q", Heads, true), Project("k", KeyHeads, true), Project("v", KeyHeads, false));
        var scale = 1 / Math.Sqrt(Scalar);
        return
        [
            .. x.Select((_, t) =>
            {
                var gathered = Enumerable.Range(0, Heads).SelectMany(h =>
                {
                    var k = KeyHeadOf?.Invoke(h) ?? h / (Heads / KeyHeads);
                    // Capping first is scaling by one with the cap scaled along, times the scale.
                    return CapBeforeScale
                        ? Attend([.. queries[h][t].Select(q => q * scale)], keys[k], values[k], t, Window(layer), 1, AttentionCap * scale)
                        : Attend(queries[h][t], keys[k], values[k], t, Window(layer), scale, AttentionCap);
                });
                return Linear(weights[name + "o_proj.weight"], [.. gathered], weights.GetValueOrDefault(name + "o_proj.bias"));
            }),
        ];
    }

    private double[] Mlp(IReadOnlyDictionary<string, double[]> weights, string name, double[] x)
    {
        double[] Project(string module, double[] v) =>
            Linear(weights[name + module + "_proj.weight"], v, weights.GetValueOrDefault(name + module + "_proj.bias"));
        return Project("down", [.. Project("gate", x).Zip(Project("up", x), (gate, up) => Activation(gate) * up)]);
    }

    private double[] Norm(IReadOnlyDictionary<string, double[]> weights, string name, double[] x) =>
        RmsNorm(x, weights[name + ".weight"], Epsilon, NormOffset);
}
