using System.Globalization;
using System.Text;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Retraining.Tests.Runs;

[CollectionDefinition(Name)]
public sealed class TinyRunCollection : ICollectionFixture<RetrainableRun>
{
    public const string Name = "tiny run";
}

/// <summary>A completed run of three stages on a random GPT-NeoX of a few hundred parameters, and a probe; trained once.</summary>
public sealed class RetrainableRun : IDisposable
{
    public const int ProbeRows = 10;
    public const int StepsPerStage = 4;

    private readonly TemporaryFolder _folder = new();

    public RetrainableRun()
    {
        _folder.Write("shape/config.json", """
            {
              "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": 8, "intermediate_size": 16,
              "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 20, "max_position_embeddings": 16, "rotary_pct": 0.5,
              "rotary_emb_base": 10000, "use_parallel_residual": true, "hidden_act": "gelu", "layer_norm_eps": 1e-05,
              "initializer_range": 0.2, "tie_word_embeddings": false, "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float32"
            }
            """);
        _folder.Write("run.yaml", """
            model: { path: shape, task: sequence-classification, labels: 2, weights: random }
            adapter: { r: 2, alpha: 4, targetModules: [query_key_value] }
            optimizer: { name: adamw, learningRate: 1e-2 }
            seed: 5
            batchSize: 4
            stages:
              - { name: first, data: { path: first.jsonl, ids: ids, label: label } }
              - { name: second, data: { path: second.jsonl, ids: ids, label: label } }
              - { name: third, data: { path: third.jsonl, ids: ids, label: label } }
            """);
        _folder.Write("probe.yaml", "{ name: probe, data: { path: probe.jsonl, ids: ids, label: label } }");
        foreach (var name in Stages) _folder.Write(name + ".jsonl", Rows(name, 4 * StepsPerStage));
        _folder.Write("probe.jsonl", Rows("probe", ProbeRows));
        Manifest = Train("run");
    }

    public static IReadOnlyList<string> Stages { get; } = ["first", "second", "third"];

    public RunManifest Manifest { get; }

    public RunFolder Folder => RunFolder.Open(At("run"));

    public string At(params string[] parts) => _folder.At(parts);

    /// <summary>A run of the same configuration, in its own folder and with its own id.</summary>
    public RunManifest Train(string name) =>
        RunTrainer.Train(RunConfigurationReader.Read(At("run.yaml"), []), At(name), null, null, CancellationToken.None);

    /// <summary>A plan beside nothing else, so that its jobs are its own.</summary>
    public PlanFile Plan(string name, params string[] skip) => PlanWith(name, null, skip);

    public PlanFile PlanWith(string name, string? effectsPath, params string[] skip)
    {
        var path = At("plans", name, "plan.json");
        var basis = effectsPath is null ? new PlanBasis(skip, null, "made up") : PlanBasis.Of(Folder, skip, effectsPath);
        ArtifactJson.Write(path, PlanBuilder.Build(Folder, path, basis));
        return PlanFile.Open(path);
    }

    /// <summary>Effects of whole stages, made up: one value per probe row and stage.</summary>
    public EffectsArtifact Effects(params (string Stage, double[] PerExample)[] effects) => new()
    {
        RunId = Manifest.RunId,
        Run = Folder.Root,
        Probe = new ProbeReference
        {
            Name = "probe", Path = At("probe.yaml"), Sha256 = ContentHash.OfFile(At("probe.jsonl")),
            Examples = ProbeRows
        },
        Estimator = Estimator.Parse("midpoint"),
        Treatment = new Treatment.Stage(),
        Metric = "log-likelihood",
        CreatedUtc = DateTime.UnixEpoch,
        Observed = new ProbeScores { Mean = 0 },
        Effects =
        [
            .. effects.Select(effect => new StageEffect
            {
                Stage = effect.Stage,
                Metric = "log-likelihood",
                Estimate = effect.PerExample.Average(),
                Low = effect.PerExample.Min(),
                High = effect.PerExample.Max(),
                Trust = TrustGrade.Medium,
                PerExample = [.. effect.PerExample.Select((value, i) => new ExampleEffect { Id = $"probe-{i}", Estimate = value })],
            }),
        ],
    };

    public string Write(string name, EffectsArtifact effects)
    {
        ArtifactJson.Write(At("made-up", name), effects);
        return At("made-up", name);
    }

    public void Dispose() => _folder.Dispose();

    private static string Rows(string name, int count)
    {
        var random = StableRandom.For(3, "rows", name);
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            var ids = string.Join(',', Enumerable.Range(0, 3 + random.Next(3)).Select(_ => random.Next(20)));
            text.Append(CultureInfo.InvariantCulture, $$"""{"id":"{{name}}-{{i}}","ids":[{{ids}}],"label":{{random.Next(2)}}}""")
                .Append('\n');
        }

        return text.ToString();
    }
}
