using System.Text;
using System.Text.Json;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Benchmarks.Trust;

/// <summary>
/// A small language model fine-tuned through LoRA in three jobs, from random weights, on rows of random tokens. In each job other
/// tokens speak for the positive label, and a tenth of the labels is wrong; the probe asks about all three.
/// </summary>
internal sealed class CalibrationRun : IDisposable
{
    public const int Hidden = 48;
    public const int Layers = 2;
    public const int StageCount = 3;
    public const int StepsPerStage = 16;
    public const int BatchSize = 8;
    public const int ProbeExamples = 96;
    private const int Vocabulary = 64;

    private readonly string _folder;

    private CalibrationRun(string folder, TrainedRun run, Probe probe) => (_folder, Run, Probe) = (folder, run, probe);

    public TrainedRun Run { get; }

    public Probe Probe { get; }

    public static CalibrationRun Train(CalibrationSetting setting)
    {
        var folder = Directory.CreateTempSubdirectory("trust").FullName;
        var schedule = new ScheduleSection { Name = ScheduleName.Linear, WarmupSteps = 2 };
        var stages = Enumerable.Range(0, StageCount).Select(stage => new StageSection
        {
            Name = $"stage-{stage + 1}",
            Dataset = Rows(folder, $"stage-{stage + 1}", setting.Seed, StepsPerStage * BatchSize, _ => stage),
            BatchSize = BatchSize,
            Optimizer = setting.Section,
            Schedule = schedule,
        });
        var configuration = new RunConfiguration
        {
            Model = new ModelSection { Path = WriteModel(folder), Task = ModelTask.SequenceClassification, Weights = ModelWeights.Random },
            Adapter = new AdapterSection { Rank = 4, Alpha = 8, TargetModules = ["query_key_value", "dense_h_to_4h"] },
            Optimizer = setting.Section,
            Schedule = schedule,
            Seed = setting.Seed,
            Stages = [.. stages],
        };
        RunTrainer.Train(configuration, Path.Combine(folder, "run"), CPU, null, default);
        var run = TrainedRun.Open(Path.Combine(folder, "run"), CPU);
        var probe = new ProbeConfiguration
        {
            Name = "probe",
            Path = Path.Combine(folder, "probe.yaml"),
            Dataset = Rows(folder, "probe", setting.Seed, ProbeExamples, row => row % StageCount),
        };
        return new CalibrationRun(folder, run, Probe.Read(probe, run.Model, run.Materials.Reader));
    }

    public void Dispose()
    {
        Run.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string WriteModel(string folder)
    {
        var model = Path.Combine(folder, "model");
        Directory.CreateDirectory(model);
        File.WriteAllText(Path.Combine(model, "config.json"), $$"""
            {
              "model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "hidden_size": {{Hidden}}, "intermediate_size": {{4 * Hidden}},
              "num_hidden_layers": {{Layers}}, "num_attention_heads": 4, "vocab_size": {{Vocabulary}}, "max_position_embeddings": 32,
              "rotary_pct": 0.5, "rotary_emb_base": 100, "layer_norm_eps": 1e-5, "hidden_act": "gelu", "initializer_range": 0.2,
              "use_parallel_residual": true, "tie_word_embeddings": false, "pad_token_id": 0
            }
            """);
        return model;
    }

    /// <param name="stageOf">Whose tokens speak for a row's label.</param>
    private static DatasetSection Rows(string folder, string name, long seed, int count, Func<int, int> stageOf)
    {
        var random = StableRandom.For(seed, "rows", name);
        var text = new StringBuilder();
        for (var row = 0; row < count; row++)
        {
            var ids = Enumerable.Range(0, 5 + random.Next(8)).Select(_ => 1 + random.Next(Vocabulary - 1)).ToArray();
            int Of(int kind) => ids.Count(id => id % (StageCount + 1) == kind);
            var positive = Of(stageOf(row)) > Of(stageOf(row) + 1);
            var label = positive ^ (random.Next(10) == 0) ? 1 : 0;
            text.Append(JsonSerializer.Serialize(new { id = $"{name}-{row}", ids, label })).Append('\n');
        }

        var path = Path.Combine(folder, name + ".jsonl");
        File.WriteAllText(path, text.ToString());
        return new DatasetSection { Path = path, Ids = "ids" };
    }
}
