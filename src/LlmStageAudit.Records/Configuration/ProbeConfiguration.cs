using System.Text.Json.Serialization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration.Yaml;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Configuration;

/// <summary>Test examples and the performance function that a run is measured by.</summary>
public sealed record ProbeConfiguration
{
    /// <summary>The key <c>name</c>, else the file's name without extension, odd characters as dashes.</summary>
    public required string Name { get; init; }

    /// <summary>The probe file itself, absolute.</summary>
    public required string Path { get; init; }

    /// <summary>The rows measured.</summary>
    [JsonPropertyName("data")]
    public required DatasetSection Dataset { get; init; }

    /// <summary>What is measured of each row; the log-likelihood of the label where nothing is said.</summary>
    public Metric Metric { get; init; } = new Metric.LogLikelihood();

    /// <summary>Null: the run's.</summary>
    public ModelTask? Task { get; init; }
}

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
        var dataset = DatasetSectionReader.Read(block, Path.GetDirectoryName(full)!, task, seed: 0, isProbe: true);
        CheckMetric(block, metric, dataset, task);
        var probe = new ProbeConfiguration
        {
            Name = block.Name("name") ?? ConfigurationName.From(Path.GetFileNameWithoutExtension(full)),
            Path = full,
            Dataset = dataset,
            Metric = metric ?? new Metric.LogLikelihood(),
            Task = task,
        };
        faults.ThrowIfAny();
        return probe;
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
