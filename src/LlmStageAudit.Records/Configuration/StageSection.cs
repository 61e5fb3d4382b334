using System.Text.Json.Serialization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration.Yaml;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Configuration;

/// <summary>One fine-tuning job, with everything the run's own blocks say merged in.</summary>
public sealed record StageSection
{
    /// <summary>Letters, digits, dots, dashes and underscores.</summary>
    public required string Name { get; init; }

    /// <summary>The rows trained on.</summary>
    [JsonPropertyName("data")]
    public required DatasetSection Dataset { get; init; }

    /// <summary>Passes over the rows, at least 1.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Examples per step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Examples per forward pass, accumulated to a step; null: the whole batch at once.</summary>
    public int? MicroBatchSize { get; init; }

    /// <summary>False: file order in every epoch.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>The run's block with the stage's own over it.</summary>
    public required OptimizerSection Optimizer { get; init; }

    /// <summary>The run's block with the stage's own over it.</summary>
    public required ScheduleSection Schedule { get; init; }
}

/// <summary>Reads the list of stages, each over what the run says for all of them.</summary>
/// <param name="root">The run.</param>
/// <param name="folder">What relative paths are relative to.</param>
/// <param name="task">Decides which columns a data set needs.</param>
/// <param name="seed">The run's.</param>
/// <param name="optimizer">The run's; null where that block is faulty.</param>
/// <param name="schedule">The run's, or the default.</param>
internal sealed class StageSectionReader(
    ConfigurationBlock root, string folder, ModelTask task, long seed, OptimizerSection? optimizer, ScheduleSection schedule)
{
    private const int MaximumStages = 100;

    /// <summary>As Hugging Face's trainer has it.</summary>
    private const int DefaultBatchSize = 8;

    private static readonly string[] s_keys =
        ["name", "data", "epochs", "batchSize", "microBatchSize", "shuffle", "optimizer", "schedule"];

    private readonly Loop _run = Loop.Of(root);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    public IReadOnlyList<StageSection> ReadAll()
    {
        var node = root.Node("stages");
        if (node is SequenceNode { Items.Count: > 0 and <= MaximumStages } list)
            return [.. list.Items.Index().Select(Read).OfType<StageSection>()];
        var found = node is SequenceNode { Items.Count: var count } ? $"{count} stages" : node?.Description ?? "missing";
        root.Fault("stages", found, node is null ? "a list of at least one stage" : $"a list of 1 to {MaximumStages} stages");
        return [];
    }

    private StageSection? Read((int Index, ConfigurationNode Node) item)
    {
        var key = $"stages.{item.Index}";
        if (item.Node is not MappingNode mapping)
        {
            root.Faults.Add(item.Node.Source, key, item.Node.Description, "a block with name and data");
            return null;
        }

        var block = new ConfigurationBlock(mapping, key, s_keys, root.Faults);
        var own = Loop.Of(block);
        var batchSize = own.BatchSize ?? _run.BatchSize ?? DefaultBatchSize;
        var microBatchSize = own.MicroBatchSize ?? (block.IsCleared("microBatchSize") ? null : _run.MicroBatchSize);
        if (microBatchSize > batchSize)
            block.Fault("microBatchSize", $"{microBatchSize}", $"at most the batch size {batchSize}");
        return new StageSection
        {
            Name = ReadName(block),
            Dataset = DatasetSectionReader.Read(block, folder, task, seed, isProbe: false),
            Epochs = own.Epochs ?? _run.Epochs ?? 1,
            BatchSize = batchSize,
            MicroBatchSize = microBatchSize,
            Shuffle = own.Shuffle ?? _run.Shuffle ?? true,
            Optimizer = OptimizerSectionReader.ReadStage(block, optimizer),
            Schedule = ScheduleSectionReader.Read(block, schedule),
        };
    }

    private string ReadName(ConfigurationBlock block)
    {
        if (!block.Has("name")) block.Missing("name", ConfigurationName.Expected);
        var name = block.Name("name") ?? "";
        if (ConfigurationName.IsValid(name) && !_names.Add(name))
            block.Fault("name", $"{Shown.Quoted(name)} is the name of an earlier stage", "a name of its own");
        return name;
    }

    // The keys that a run may give for all its stages.
    private sealed record Loop(int? Epochs, int? BatchSize, int? MicroBatchSize, bool? Shuffle)
    {
        public static Loop Of(ConfigurationBlock block) => new(
            block.Count("epochs", "epochs"),
            block.Count("batchSize", "examples"),
            block.Count("microBatchSize", "examples"),
            block.Flag("shuffle"));
    }
}
