using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Artifacts.Effects;
using LlmStageAudit.Artifacts.Files;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;

namespace LlmStageAudit.Auditing.Probes;

/// <summary>Probe examples as a model sees them, what is measured on each, and the groups they belong to.</summary>
public sealed class Probe
{
    private Probe(ProbeConfiguration configuration, ExampleSet set, IReadOnlyList<int> targets, IReadOnlyList<ProbeGroup> groups)
    {
        (Configuration, Examples, Targets, Groups) = (configuration, set.Examples, targets, groups);
        Reference = new ProbeReference
        {
            Name = configuration.Name,
            Path = configuration.Path,
            Sha256 = ContentHash.OfFile(set.Path),
            Examples = set.Examples.Count,
        };
    }

    public ProbeConfiguration Configuration { get; }

    /// <summary>In file order; labels are the task's.</summary>
    public IReadOnlyList<EncodedExample> Examples { get; }

    /// <summary>The class whose log-likelihood (or margin) is the performance value: the task's label, or a confounder's.</summary>
    public IReadOnlyList<int> Targets { get; }

    public IReadOnlyList<ProbeGroup> Groups { get; }

    /// <summary>What results say of the probe; the hash is the data file's.</summary>
    public ProbeReference Reference { get; }

    /// <summary>The metric's name in results, such as log-likelihood or log-likelihood(christian).</summary>
    public string MetricName
    {
        get
        {
            var kind = Configuration.Metric.Kind == MetricKind.Margin ? "margin" : "log-likelihood";
            return Configuration.Metric.Column is { } column ? $"{kind}({column})" : kind;
        }
    }

    /// <exception cref="Artifacts.Errors.AuditException">The probe's data, groups or metric do not fit.</exception>
    public static Probe Read(ProbeConfiguration configuration, LanguageModel model, ExampleReader reader, UnlabelledPolicy unlabelled = UnlabelledPolicy.Exclude)
    {
        if (configuration.Task is { } task && task != model.Task)
            throw ProbeException.OtherTask(configuration.Path, Spell(task), Spell(model.Task));
        if (model.Task == ModelTask.CausalLm && (configuration.Metric.Kind == MetricKind.Margin || configuration.Metric.Column is not null))
            throw ProbeException.NoMetric(configuration.Path, configuration.Metric.Kind == MetricKind.Margin ? "margin" : "log-likelihood of a column");
        var set = reader.Read(configuration.Dataset);
        var targets = configuration.Metric.Column is { } column
            ? reader.Read(configuration.Dataset, labelOverride: column).Examples.Select(example => example.Label)
            : set.Examples.Select(example => example.Label);
        var rows = set.Examples.Select(set.RowOf).ToArray();
        var groups = configuration.Dataset.Groups.Select(name => ProbeGroup.Read(name, configuration.Path, set.Comments, rows, unlabelled));
        return new Probe(configuration, set, [.. targets], [.. groups]);
    }

    private static string Spell(ModelTask task) => task == ModelTask.CausalLm ? "causal-lm" : "sequence-classification";
}
