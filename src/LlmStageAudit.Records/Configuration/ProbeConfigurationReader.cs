using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration.Yaml;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Records.Configuration;

/// <summary>YAML probe to <see cref="ProbeConfiguration"/>, strict, with every fault reported at once.</summary>
public static class ProbeConfigurationReader
{
    private static readonly string[] Keys = ["name", "data", "metric", "task"];

    /// <summary>Reads a probe file.</summary>
    /// <param name="path">The YAML file; relative paths in it are relative to its folder.</param>
    /// <exception cref="ConfigurationException">Everything that is wrong, one line per fault: path, line, key, found, expected.</exception>
    public static ProbeConfiguration Read(string path)
    {
        var faults = new FaultList();
        var block = new ConfigurationBlock(RunConfigurationReader.RootMapping(path, Keys, [], faults), "", Keys, faults);
        var full = Path.GetFullPath(path);
        var task = block.Choice<ModelTask>("task");
        var metric = ReadMetric(block);
        var dataset = DatasetSectionReader.Read(block, Path.GetDirectoryName(full)!, task, isProbe: true);
        CheckMetric(block, metric, dataset, task);
        var probe = new ProbeConfiguration
        {
            Name = ReadName(block) ?? ConfigurationName.From(Path.GetFileNameWithoutExtension(full)),
            Path = full,
            Dataset = dataset,
            Metric = metric ?? new Metric.LogLikelihood(),
            Task = task,
        };
        faults.ThrowIfAny();
        return probe;
    }

    private static string? ReadName(ConfigurationBlock block)
    {
        var name = block.Text("name");
        if (name is null || ConfigurationName.IsValid(name)) return name;
        block.Fault("name", Shown.Quoted(name), ConfigurationName.Expected, $"for example '{ConfigurationName.From(name)}'");
        return null;
    }

    // A name alone, or one key whose value is the column that is measured. Null after a fault.
    private static Metric? ReadMetric(ConfigurationBlock block)
    {
        if (block.Node("metric") is not MappingNode)
        {
            if (!block.Has("metric")) return new Metric.LogLikelihood();
            return block.Among("metric", Metric.Names) is { } alone ? Metric.Of(alone) : null;
        }

        var before = block.Faults.Count;
        var choice = block.Block("metric", Metric.Names)!;
        var given = Metric.Names.Where(choice.IsGiven).ToArray();
        if (block.Faults.Count > before) return null;
        if (given.Length == 1) return Metric.Of(given[0], choice.Text(given[0]));
        block.Fault("metric", given.Length == 0 ? "an empty block" : "several metrics", "one, such as { log-likelihood: COLUMN }");
        return null;
    }

    private static void CheckMetric(ConfigurationBlock block, Metric? metric, DatasetSection dataset, ModelTask? task)
    {
        if (metric is null || !block.Has("data")) return;
        var needsLabel = task == ModelTask.SequenceClassification && (metric.IsOfGroups || metric.Column is null);
        if (needsLabel && dataset.Label is null && dataset.Format is null)
        {
            block.Fault("data", "no label", "label: a column or a comparison such as \"toxicity >= 0.5\"");
        }

        if (metric.IsOfGroups && dataset.Groups.Count == 0)
        {
            block.Fault("data", "no groups", $"groups: the identity columns that {metric.Name} compares");
        }
    }
}
