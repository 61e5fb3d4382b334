using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Benchmarks.Trust;

/// <summary>
/// A small language model fine-tuned in three jobs, from random weights, on rows of random tokens. In each job other tokens speak for the
/// positive label, and a tenth of the labels is wrong; the probe asks about all three. Where the task is the next token, the last tokens
/// follow from the first.
/// </summary>
internal sealed class CalibrationRun : IDisposable
{
    public const int ProbeExamples = 64;
    private const int Vocabulary = 48;

    private readonly string _folder;

    private CalibrationRun(string folder, TrainedRun run, Probe probe) => (_folder, Run, Probe) = (folder, run, probe);

    public TrainedRun Run { get; }

    public Probe Probe { get; }

    public static CalibrationRun Train(CalibrationSetting setting)
    {
        var folder = Directory.CreateTempSubdirectory("trust").FullName;
        var stages = setting.Lengths.Select((steps, stage) => new StageSection
        {
            Name = $"stage-{stage + 1}",
            Dataset = Rows(folder, setting, $"stage-{stage + 1}", steps * setting.BatchSize, _ => stage),
            BatchSize = setting.BatchSize,
            Optimizer = setting.Optimizer,
            Schedule = setting.Schedule with { WarmupSteps = Math.Min(setting.Schedule.WarmupSteps ?? 0, steps) },
        });
        var configuration = new RunConfiguration
        {
            Model = new ModelSection { Path = WriteModel(folder, setting), Task = setting.Task, Weights = ModelWeights.Random },
            Adapter = setting.Rank is { } rank ? new AdapterSection { Rank = rank, Alpha = 8, TargetModules = ["all-linear"] } : null,
            Optimizer = setting.Optimizer,
            Schedule = setting.Schedule,
            Seed = setting.Seed,
            Stages = [.. stages],
        };
        RunTrainer.Train(configuration, Path.Combine(folder, "run"), CPU, null, default);
        var run = TrainedRun.Open(Path.Combine(folder, "run"), CPU);
        var probe = new ProbeConfiguration
        {
            Name = "probe",
            Path = Path.Combine(folder, "probe.yaml"),
            Dataset = Rows(folder, setting, "probe", ProbeExamples, row => row % CalibrationSetting.StageCount),
        };
        return new CalibrationRun(folder, run, Probe.Read(probe, run.Model, run.Materials.Reader));
    }

    public void Dispose()
    {
        Run.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string WriteModel(string folder, CalibrationSetting setting)
    {
        var config = new JsonObject
        {
            ["model_type"] = setting.Family,
            ["hidden_size"] = setting.Hidden,
            ["intermediate_size"] = 3 * setting.Hidden,
            ["num_hidden_layers"] = setting.Layers,
            ["num_attention_heads"] = 4,
            ["vocab_size"] = Vocabulary,
            ["max_position_embeddings"] = 32,
            ["initializer_range"] = 0.2,
            ["tie_word_embeddings"] = false,
            ["pad_token_id"] = 0,
            ["rotary_pct"] = 1,
        };
        if (setting.Family != "gpt_neox") config.Remove("rotary_pct");
        var model = Path.Combine(folder, "model");
        Directory.CreateDirectory(model);
        File.WriteAllText(Path.Combine(model, "config.json"), config.ToJsonString());
        return model;
    }

    /// <param name="stageOf">Whose tokens speak for a row's label.</param>
    private static DatasetSection Rows(string folder, CalibrationSetting setting, string name, int count, Func<int, int> stageOf)
    {
        var random = StableRandom.For(setting.Seed, "rows", name);
        var text = new StringBuilder();
        for (var row = 0; row < count; row++)
        {
            var ids = Enumerable.Range(0, 5 + random.Next(6)).Select(_ => 1 + random.Next(Vocabulary - 1)).ToArray();
            int Of(int kind) => ids.Count(id => id % (CalibrationSetting.StageCount + 1) == kind);
            var positive = Of(stageOf(row)) > Of(stageOf(row) + 1);
            var label = positive ^ (random.Next(10) == 0) ? 1 : 0;
            if (setting.Task == ModelTask.CausalLm)
                ids = [.. ids, .. ids.Take(4).Select(id => 1 + ((id + stageOf(row) + label) % (Vocabulary - 1)))];
            text.Append(JsonSerializer.Serialize(new { id = $"{name}-{row}", ids, label })).Append('\n');
        }

        var path = Path.Combine(folder, name + ".jsonl");
        File.WriteAllText(path, text.ToString());
        return new DatasetSection { Path = path, Ids = "ids" };
    }
}
