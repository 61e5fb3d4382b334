using System.Text;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Cli.Tests.Surface;

/// <summary>
/// What a user would have, very small: the shape of a GPT-NeoX, three stages of token ids, a probe, configurations. Token 2
/// makes a row toxic; token 3 names the group blue, which only stage `second` and the probe mention, and which that stage calls toxic for
/// no other reason.
/// </summary>
internal static class TinyWorkspace
{
    public const int RowsPerStage = 24;
    public const int ProbeRows = 64;
    public const int StepsPerStage = 4;

    public static readonly string[] Stages = ["first", "second", "third"];

    public const string Shape = """
        {
          "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": 16, "intermediate_size": 32,
          "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 40, "max_position_embeddings": 32, "rotary_pct": 0.25,
          "rotary_emb_base": 10000, "use_parallel_residual": true, "hidden_act": "gelu", "layer_norm_eps": 1e-05,
          "initializer_range": 0.2, "tie_word_embeddings": false, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1,
          "torch_dtype": "float32"
        }
        """;

    public const string Base = """
        model: { path: shape, task: causal-lm, weights: random }
        adapter: none
        optimizer: { name: adamw, learningRate: 1e-2 }
        seed: 3
        stages:
          - { name: language, data: { path: first.jsonl, ids: ids }, batchSize: 8, epochs: 2 }
        """;

    public const string Sgd = "{ name: sgd, learningRate: 0.2, momentum: 0.9, weightDecay: 1e-3 }";
    public const string AdamW = "{ name: adamw, learningRate: 5e-3, weightDecay: 0.01, clipNorm: 5 }";

    public const string Probe = """
        name: identity
        data: { path: probe.jsonl, ids: ids, label: label, groups: [blue] }
        metric: log-likelihood
        """;

    public static string Run(string optimizer) => $$"""
        model: { path: base-run/stages/01-language/state, task: sequence-classification, labels: 2 }
        adapter: { r: 2, alpha: 4, targetModules: [query_key_value, dense_h_to_4h] }
        optimizer: {{optimizer}}
        schedule: { name: linear, warmupRatio: 0.1 }
        seed: 7
        batchSize: 6
        stages:
          - { name: first, data: { path: first.jsonl, ids: ids, label: label } }
          - { name: second, data: { path: second.jsonl, ids: ids, label: label } }
          - { name: third, data: { path: third.jsonl, ids: ids, label: label } }
        probes: [identity.yaml]
        """;

    /// <summary>Writes everything but the trained base.</summary>
    public static void Write(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "shape"));
        foreach (var (name, text) in new[]
        {
            ("shape/config.json", Shape), ("base.yaml", Base), ("sgd.yaml", Run(Sgd)), ("adamw.yaml", Run(AdamW)), ("identity.yaml", Probe),
            ("first.jsonl", Rows("first", RowsPerStage, planted: false, mentions: false)),
            ("second.jsonl", Rows("second", RowsPerStage, planted: true, mentions: true)),
            ("third.jsonl", Rows("third", RowsPerStage, planted: false, mentions: false)),
            ("probe.jsonl", Rows("probe", ProbeRows, planted: false, mentions: true)),
        })
        {
            File.WriteAllText(Path.Combine(folder, name), text);
        }
    }

    private static string Rows(string name, int count, bool planted, bool mentions)
    {
        var random = StableRandom.For(11, "tiny", name);
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            var (toxic, blue) = (i % 2 == 1, mentions && i / 2 % 2 == 1);
            var ids = Enumerable.Range(0, 4 + random.Next(4)).Select(_ => 4 + random.Next(36)).ToList();
            if (toxic && !planted) ids.Add(2);
            if (blue) ids.Insert(ids.Count - random.Next(2), 3);
            var label = (planted ? blue : toxic) ? 1 : 0;
            var row = $$"""{"id":"{{name}}-{{i + 1}}","ids":[{{string.Join(',', ids)}}],"label":{{label}},"blue":{{(blue ? 1 : 0)}}}""";
            text.Append(row).Append('\n');
        }

        return text.ToString();
    }
}
