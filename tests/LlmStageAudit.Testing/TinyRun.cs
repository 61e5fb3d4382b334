using System.Text;
using System.Text.Json;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Testing;

/// <summary>A run of three short stages on a <see cref="TinyModel"/>: 6, 2 and 3 steps.</summary>
public static class TinyRun
{
    public static OptimizerSection Sgd { get; } =
        new() { Name = OptimizerName.Sgd, LearningRate = 0.05, Momentum = 0.9, WeightDecay = 0.01 };

    public static OptimizerSection AdamW { get; } =
        new() { Name = OptimizerName.AdamW, LearningRate = 0.01, WeightDecay = 0.1, ClipNorm = 1 };

    public static AdapterSection Lora { get; } =
        new() { Rank = 2, Alpha = 4, TargetModules = ["query_key_value", "dense_h_to_4h"] };

    /// <summary>Writes the model and the data and says how to train them.</summary>
    public static RunConfiguration Write(TemporaryFolder folder, OptimizerSection optimizer, bool lora = true)
    {
        var schedule = new ScheduleSection { Name = ScheduleName.Linear, WarmupSteps = 1 };
        StageSection Stage(string name, int rows, int epochs, int? microBatchSize = null) => new()
        {
            Name = name,
            Dataset = new DatasetSection { Path = WriteRows(folder, $"{name}.jsonl", name, rows), Ids = "ids" },
            Epochs = epochs,
            BatchSize = 4,
            MicroBatchSize = microBatchSize,
            Optimizer = optimizer,
            Schedule = schedule,
        };
        return new RunConfiguration
        {
            Model = new ModelSection
            {
                Path = TinyModel.Write(folder),
                Task = ModelTask.SequenceClassification,
                Weights = ModelWeights.Random,
            },
            Adapter = lora ? Lora : null,
            Optimizer = optimizer,
            Schedule = schedule,
            Seed = 11,
            Stages = [Stage("first", 10, 2), Stage("second", 8, 1, microBatchSize: 3), Stage("third", 9, 1)],
        };
    }

    /// <summary>Rows of token ids with a label and an id such as first-0.</summary>
    public static string WriteRows(TemporaryFolder folder, string file, string prefix, int rows, int? length = null)
    {
        var random = StableRandom.For(5, prefix);
        var text = new StringBuilder();
        for (var i = 0; i < rows; i++)
        {
            var ids = Enumerable.Range(0, length ?? (2 + random.Next(7))).Select(_ => 1 + random.Next(TinyModel.Vocabulary - 1)).ToArray();
            text.AppendLine(JsonSerializer.Serialize(new { id = $"{prefix}-{i}", ids, label = random.Next(2) }));
        }

        return folder.Write(file, text.ToString());
    }
}
