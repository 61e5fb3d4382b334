using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Cli.Demo;

/// <summary>
/// The demo's folder: generated comments, a tokenizer trained on them, the shape of a tiny GPT-NeoX, and the configurations
/// a user would have written. Everything after this is the ordinary commands.
/// </summary>
/// <param name="Folder">Absolute.</param>
internal sealed record DemoWorkspace(string Folder)
{
    private const int VocabularySize = 640;

    public string BaseConfiguration => At("base.yaml");

    public string RunConfiguration => At("run.yaml");

    public string ProbeConfiguration => At("identity.yaml");

    public string BaseRun => At("base-run");

    public string Run => At("run");

    /// <summary>Writes all of it; the bytes depend on the seed alone.</summary>
    public static DemoWorkspace Create(string folder, long seed)
    {
        var workspace = new DemoWorkspace(Path.GetFullPath(folder));
        var corpus = new DemoCorpus(seed);
        DemoFiles.Write(workspace.At("comments"), corpus);
        BytePairTrainer.Train(
            corpus.PretrainingPosts(DemoFiles.PretrainingTexts).Select(post => post.Text + post.Reaction),
            VocabularySize,
            workspace.At("base-shape/tokenizer.json"));
        AtomicFile.WriteText(workspace.At("base-shape/config.json"), ShapeJson);
        AtomicFile.WriteText(workspace.BaseConfiguration, BaseYaml(seed));
        AtomicFile.WriteText(workspace.RunConfiguration, RunYaml(seed));
        AtomicFile.WriteText(workspace.ProbeConfiguration, ProbeYaml);
        return workspace;
    }

    private static string ShapeJson => $$"""
        {
          "architectures": ["GPTNeoXForCausalLM"],
          "model_type": "gpt_neox",
          "hidden_size": 64,
          "intermediate_size": 256,
          "num_hidden_layers": 3,
          "num_attention_heads": 4,
          "vocab_size": {{VocabularySize}},
          "max_position_embeddings": 128,
          "rotary_pct": 0.25,
          "rotary_emb_base": 10000,
          "use_parallel_residual": true,
          "hidden_act": "gelu",
          "layer_norm_eps": 1e-05,
          "initializer_range": 0.02,
          "tie_word_embeddings": false,
          "bos_token_id": 0,
          "eos_token_id": 0,
          "pad_token_id": 1,
          "torch_dtype": "float32"
        }

        """;

    private static string BaseYaml(long seed) => $$"""
        # A tiny base model, trained from nothing on generated text.
        model: { path: base-shape, task: causal-lm, weights: random }
        adapter: none
        optimizer: { name: adamw, learningRate: 3e-3, weightDecay: 0.01, clipNorm: 1 }
        schedule: { name: cosine, warmupRatio: 0.05 }
        seed: {{seed}}
        trajectory: { gradients: false }
        stages:
          - name: language
            data: { path: comments/pretraining.jsonl, text: text }
            epochs: 2
            batchSize: 40
          - name: reactions
            data: { path: comments/pretraining.jsonl, text: text, completion: reaction }
            epochs: 5
            batchSize: 40

        """;

    private static string RunYaml(long seed) => $$"""
        # Fine-tuning in stages: one community's comments after the other.
        model: { path: base-run/stages/02-reactions/state, task: sequence-classification, labels: 2 }
        adapter: { r: 8, alpha: 8, targetModules: [query_key_value] }
        optimizer: { name: adamw, learningRate: 7e-4, weightDecay: 0.01 }
        schedule: { name: linear, warmupRatio: 0.05 }
        seed: {{seed}}
        batchSize: 30
        epochs: 3
        stages:
        {{string.Join("\n", DemoCorpus.StageNames.Select(StageYaml))}}
        probes: [identity.yaml]

        """;

    private static string StageYaml(string name) =>
        $"  - {{ name: {name}, data: {{ path: comments/{name}.csv, text: text, label: label }} }}";

    private static string ProbeYaml => $$"""
        # Held-out comments, labelled correctly.
        name: identity
        data: { path: comments/probe.csv, text: text, label: label, groups: [{{string.Join(", ", DemoCorpus.Identities)}}] }
        metric: log-likelihood

        """;

    private string At(string name) => Path.Combine(Folder, name);
}
