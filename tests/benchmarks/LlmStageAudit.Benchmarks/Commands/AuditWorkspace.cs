using System.Globalization;
using System.Text;
using System.Text.Json;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Benchmarks.Commands;

/// <summary>A model's shape, three stages of generated token ids and a probe, in a folder of its own that goes with it.</summary>
internal sealed class AuditWorkspace : IDisposable
{
    public const string Sgd = "{ name: sgd, learningRate: 5e-3, momentum: 0.9, weightDecay: 1e-3 }";
    public const string AdamW = "{ name: adamw, learningRate: 5e-4, weightDecay: 0.01, clipNorm: 5 }";

    private const int ProbeRows = 64;
    private const int Vocabulary = 200;

    private readonly string _root = Directory.CreateTempSubdirectory("stageaudit-benchmark-").FullName;

    /// <param name="hidden">Dimensions.</param>
    /// <param name="layers">Of the transformer.</param>
    /// <param name="rows">Of each stage.</param>
    /// <param name="shortest">Tokens of the shortest row.</param>
    /// <param name="longest">Tokens of the longest row.</param>
    public AuditWorkspace(int hidden, int layers, int rows, int shortest, int longest)
    {
        Write("shape/config.json", string.Create(CultureInfo.InvariantCulture, $$"""
            {
              "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": {{hidden}}, "intermediate_size": {{2 * hidden}},
              "num_hidden_layers": {{layers}}, "num_attention_heads": 2, "vocab_size": {{Vocabulary}}, "max_position_embeddings": 128,
              "rotary_pct": 0.5, "rotary_emb_base": 10000, "use_parallel_residual": true, "hidden_act": "gelu", "layer_norm_eps": 1e-05,
              "initializer_range": 0.1, "tie_word_embeddings": false, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1
            }
            """));
        foreach (var name in new[] { "first", "second", "third" }) Write($"{name}.jsonl", Rows(name, rows, shortest, longest));
        Write("probe.jsonl", Rows("probe", ProbeRows, shortest, longest));
        Write("probe.yaml", "name: probe\ndata: { path: probe.jsonl, ids: ids, label: label }\nmetric: log-likelihood\n");
        Write("text.yaml", "name: text\ntask: causal-lm\ndata: { path: probe.jsonl, ids: ids }\nmetric: log-likelihood\n");
    }

    public string At(params string[] parts) => Path.Combine([_root, .. parts]);

    public void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
    }

    /// <summary>Writes a configuration and returns its path.</summary>
    /// <param name="model">Keys of the model section beside its path and weights.</param>
    /// <param name="adapter">Keys of the adapter section beside its targets.</param>
    /// <param name="epochs">Of the three stages.</param>
    public string Configure(
        string name,
        string optimizer,
        int batchSize,
        int[] epochs,
        string model = "task: sequence-classification, labels: 2",
        string adapter = "r: 2, alpha: 4",
        int? microBatchSize = null)
    {
        var label = model.Contains("causal", StringComparison.Ordinal) ? "" : ", label: label";
        var micro = microBatchSize is { } size ? string.Create(CultureInfo.InvariantCulture, $"microBatchSize: {size}\n") : "";
        var stages = string.Concat(new[] { "first", "second", "third" }.Zip(epochs, (stage, count) => string.Create(
            CultureInfo.InvariantCulture,
            $"  - {{ name: {stage}, data: {{ path: {stage}.jsonl, ids: ids{label} }}, epochs: {count} }}\n")));
        Write(name + ".yaml", string.Create(CultureInfo.InvariantCulture, $$"""
            model: { path: shape, weights: random, {{model}} }
            adapter: { {{adapter}}, targetModules: [query_key_value, dense_h_to_4h] }
            optimizer: {{optimizer}}
            schedule: { name: linear, warmupRatio: 0.03 }
            seed: 7
            batchSize: {{batchSize}}
            {{micro}}stages:

            """).ReplaceLineEndings("\n") + stages);
        return At(name + ".yaml");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static string Rows(string name, int count, int shortest, int longest)
    {
        var random = StableRandom.For(11, "rows", name);
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            var ids = Enumerable.Range(0, shortest + random.Next(longest - shortest + 1))
                .Select(_ => 2 + random.Next(Vocabulary - 2))
                .ToArray();
            text.Append(JsonSerializer.Serialize(new { id = $"{name}-{i + 1}", ids, label = random.Next(2) })).Append('\n');
        }

        return text.ToString();
    }
}
