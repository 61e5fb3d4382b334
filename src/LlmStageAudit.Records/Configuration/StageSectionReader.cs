using System.Globalization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration.Yaml;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Configuration;

/// <summary>Reads the list of stages, each over what the run says for all of them.</summary>
internal static class StageSectionReader
{
    private const int MaximumStages = 100;

    /// <summary>As Hugging Face's trainer has it.</summary>
    private const int DefaultBatchSize = 8;

    private static readonly string[] Keys =
        ["name", "data", "epochs", "batchSize", "microBatchSize", "shuffle", "optimizer", "schedule"];

    public static IReadOnlyList<StageSection> ReadAll(ConfigurationBlock root, StageDefaults defaults)
    {
        var run = Loop.Of(root);
        var node = root.Node("stages");
        if (node is null)
        {
            root.Missing("stages", "a list of at least one stage");
            return [];
        }

        if (node is not SequenceNode { Items.Count: > 0 and <= MaximumStages } list)
        {
            var found = (node as SequenceNode)?.Items.Count.ToString(CultureInfo.InvariantCulture);
            root.Fault("stages", found is null ? node.Description : $"{found} stages", $"a list of 1 to {MaximumStages} stages");
            return [];
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var stages = new List<StageSection>();
        for (var i = 0; i < list.Items.Count; i++)
        {
            var key = $"stages.{i.ToString(CultureInfo.InvariantCulture)}";
            if (list.Items[i] is MappingNode mapping)
            {
                stages.Add(Read(new ConfigurationBlock(mapping, key, Keys, root.Faults), run, defaults, names));
            }
            else
            {
                root.Faults.Add(list.Items[i].Source, key, list.Items[i].Description, "a block with name and data");
            }
        }

        return stages;
    }

    private static StageSection Read(ConfigurationBlock block, Loop run, StageDefaults defaults, HashSet<string> names)
    {
        var own = Loop.Of(block);
        var batchSize = own.BatchSize ?? run.BatchSize ?? DefaultBatchSize;
        var microBatchSize = own.MicroBatchSize ?? (block.IsCleared("microBatchSize") ? null : run.MicroBatchSize);
        if (microBatchSize > batchSize)
        {
            var micro = microBatchSize.Value.ToString(CultureInfo.InvariantCulture);
            block.Fault("microBatchSize", micro, $"at most the batch size {batchSize.ToString(CultureInfo.InvariantCulture)}");
        }

        return new StageSection
        {
            Name = ReadName(block, names),
            Dataset = DatasetSectionReader.Read(block, defaults.Folder, defaults.Task, isProbe: false),
            Epochs = own.Epochs ?? run.Epochs ?? 1,
            BatchSize = batchSize,
            MicroBatchSize = microBatchSize,
            Shuffle = own.Shuffle ?? run.Shuffle ?? true,
            Optimizer = OptimizerSectionReader.ReadStage(block, defaults.Optimizer),
            Schedule = ScheduleSectionReader.Read(block, defaults.Schedule),
        };
    }

    private static string ReadName(ConfigurationBlock block, HashSet<string> names)
    {
        if (!block.Has("name")) block.Missing("name", ConfigurationName.Expected);
        var name = block.Text("name");
        if (name is null) return "";
        if (!ConfigurationName.IsValid(name))
        {
            block.Fault("name", Shown.Quoted(name), ConfigurationName.Expected, $"for example '{ConfigurationName.From(name)}'");
        }
        else if (!names.Add(name))
        {
            block.Fault("name", $"{Shown.Quoted(name)} is the name of an earlier stage", "a name of its own");
        }

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

/// <summary>What a stage takes from its run while being read.</summary>
/// <param name="Folder">What relative paths are relative to.</param>
/// <param name="Task">Decides which columns a data set needs.</param>
/// <param name="Optimizer">Null where the run's block is faulty.</param>
/// <param name="Schedule">The run's, or the default.</param>
internal sealed record StageDefaults(string Folder, ModelTask Task, OptimizerSection? Optimizer, ScheduleSection Schedule);
