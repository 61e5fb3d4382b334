using System.Globalization;

namespace LlmStageAudit.Benchmarks.Estimates;

/// <summary>A run to be foretold.</summary>
/// <param name="Name">As the table shows it.</param>
/// <param name="Optimizer">sgd or adamw.</param>
/// <param name="Lora">Whether an adapter trains, or all weights.</param>
/// <param name="Stages">How many.</param>
/// <param name="Rows">Per stage.</param>
/// <param name="Epochs">Of each stage.</param>
/// <param name="BatchSize">Examples per step.</param>
/// <param name="MicroBatchSize">Examples per pass; null for all.</param>
/// <param name="LongTexts">Made-up rows of 20 to 500 tokens in place of tweets.</param>
/// <param name="BFloat16">Whether the base computes in bfloat16.</param>
/// <param name="Gradients">Whether the log holds them.</param>
internal sealed record EstimateSetting(
    string Name,
    string Optimizer,
    bool Lora,
    int Stages,
    int Rows,
    int Epochs,
    int BatchSize,
    int? MicroBatchSize = null,
    bool LongTexts = false,
    bool BFloat16 = false,
    bool Gradients = true)
{
    private static readonly string[] s_targets = ["origin", "gender", "disability"];

    public static EstimateSetting[] All { get; } =
    [
        new("LoRA, SGD, 3 stages, batch 50", "sgd", true, 3, 300, 2, 50),
        new("LoRA, AdamW, 1 stage, batch 16", "adamw", true, 1, 480, 2, 16),
        new("all weights, AdamW, 1 stage, batch 25", "adamw", false, 1, 400, 1, 25),
        new("all weights, SGD, 3 stages, batch 25", "sgd", false, 3, 150, 1, 25),
        new("LoRA on bfloat16, AdamW, 3 stages, batch 30", "adamw", true, 3, 150, 1, 30, BFloat16: true),
        new("LoRA, AdamW, long texts, batch 10", "adamw", true, 1, 250, 1, 10, LongTexts: true),
        new("LoRA, AdamW, 3 stages, batch 60 in passes of 20", "adamw", true, 3, 300, 1, 60, MicroBatchSize: 20),
        new("all weights, AdamW, 2 stages, no gradients logged", "adamw", false, 2, 200, 1, 25, Gradients: false),
    ];

    public IEnumerable<string> StageNames => s_targets.Take(Stages);

    /// <summary>The run's YAML.</summary>
    /// <param name="comments">The tweets.</param>
    public string Configuration(string comments) => string.Create(CultureInfo.InvariantCulture, $$"""
        model:
          path: model
          task: sequence-classification
          labels: 2
          maxLength: {{(LongTexts ? 512 : 40)}}
          weights: random
          dtype: {{(BFloat16 ? "bfloat16" : "float32")}}
        adapter: {{(Lora ? "{ r: 8, alpha: 8, targetModules: [query_key_value] }" : "none")}}
        optimizer: {{(Optimizer == "sgd" ? "{ name: sgd, learningRate: 1e-3, momentum: 0.9 }" : "{ name: adamw, learningRate: 1e-4 }")}}
        schedule: { name: linear, warmupRatio: 0.03 }
        seed: 7
        epochs: {{Epochs}}
        batchSize: {{BatchSize}}
        {{(MicroBatchSize is { } size ? $"microBatchSize: {size}" : "")}}
        trajectory: { gradients: {{(Gradients ? "true" : "false")}} }
        stages:
        {{string.Join('\n', StageNames.Select(name => $"  - {{ name: {name}, data: {StageRows(comments, name)} }}"))}}
        probes: [probe.yaml]
        """);

    /// <summary>The probe's YAML.</summary>
    public string Probe(string comments) =>
        "name: probe\ndata: "
        + (LongTexts ? LongRows(100) : Tweets(comments, "target in ('religion', 'sexual_orientation', 'other')", 200))
        + "\n";

    private string StageRows(string comments, string target) =>
        LongTexts ? LongRows(Rows) : Tweets(comments, $"target == '{target}'", Rows);

    private static string LongRows(int limit) => $"{{ path: long.jsonl, ids: ids, label: label, limit: {limit} }}";

    private static string Tweets(string comments, string where, int limit) =>
        $"{{ path: \"{comments}\", text: tweet, id: HITId, label: \"not (sentiment contains 'normal')\", "
        + $"where: \"{where}\", limit: {limit} }}";
}
