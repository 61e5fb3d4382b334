using System.Security.Cryptography;
using System.Text.Json;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Probing.Probes;

/// <summary>Probe examples as a model sees them, what is measured on each, and the groups they belong to.</summary>
public sealed class Probe
{
    private Probe(
        ProbeConfiguration configuration,
        IReadOnlyList<EncodedExample> examples,
        IReadOnlyList<int> targets,
        IReadOnlyList<ProbeGroup> groups,
        string sha256,
        string definitionSha256)
    {
        (Configuration, Examples, Targets, Groups) = (configuration, examples, targets, groups);
        Reference = new ProbeReference
        {
            Name = configuration.Name,
            Path = configuration.Path,
            Sha256 = sha256,
            DefinitionSha256 = definitionSha256,
            Examples = examples.Count,
        };
    }

    /// <summary>As it was read.</summary>
    public ProbeConfiguration Configuration { get; }

    /// <summary>In file order; labels are the task's.</summary>
    public IReadOnlyList<EncodedExample> Examples { get; }

    /// <summary>The class whose log-likelihood (or margin) is the performance value: the task's label, or a confounder's.</summary>
    internal IReadOnlyList<int> Targets { get; }

    /// <summary>In the configuration's order; empty where it names none.</summary>
    public IReadOnlyList<ProbeGroup> Groups { get; }

    /// <summary>What results say of the probe; the hash is the data file's.</summary>
    public ProbeReference Reference { get; }

    /// <summary>What makes numbers of this probe other than they may be taken for; nothing of a part of a probe.</summary>
    public IReadOnlyList<Warning> Warnings { get; private init; } = [];

    /// <summary>What is measured.</summary>
    public PerformanceFunction Performance => new(this);

    /// <summary>Reads a probe's examples as a model takes them, with their groups.</summary>
    /// <param name="configuration">What is measured, on which rows.</param>
    /// <param name="model">What measures.</param>
    /// <param name="reader">Reads rows as the model takes them.</param>
    /// <param name="unlabelled">What becomes of rows whose identity nobody annotated.</param>
    /// <param name="trainedOn">What the model was trained on, as far as it is known: rows that the probe shares with it are warned
    /// of.</param>
    /// <exception cref="AuditException">The probe's data, groups or metric do not fit.</exception>
    public static Probe Read(
        ProbeConfiguration configuration,
        LanguageModel model,
        ExampleReader reader,
        UnlabelledPolicy unlabelled = UnlabelledPolicy.Exclude,
        IReadOnlyList<ExampleSet>? trainedOn = null)
    {
        if (configuration.Task is { } task && task != model.Task)
            throw ProbeException.OtherTask(configuration.Path, EnumSpelling<ModelTask>.Of(task), EnumSpelling<ModelTask>.Of(model.Task));
        var metric = configuration.Metric;
        if (model.Task == ModelTask.CausalLm && metric is not Metric.LogLikelihood { Column: null })
            throw ProbeException.NeedsClassifier(configuration.Path, metric.Name);
        if (metric.IsOfGroups && model.Labels != 2)
            throw ProbeException.NeedsTwoClasses(configuration.Path, metric.Name, model.Labels);
        var sections = configuration.Dataset.Groups;
        var set = reader.Read(
            configuration.Dataset,
            target: metric.IsOfGroups ? null : metric.Column,
            kept: columns => sections.SelectMany(group => ProbeGroup.ColumnsOf(group, configuration.Path, columns)));
        var groups = sections.Select(group => ProbeGroup.Read(group, configuration.Path, set.Columns, set.Rows, unlabelled)).ToArray();
        var probe = new Probe(
            configuration, set.Examples, set.Targets ?? [.. set.Examples.Select(example => example.Label)], groups,
            ContentHash.OfFile(set.Path), HashOf(configuration, unlabelled))
        {
            Warnings = [.. ProbeWarnings.Of(configuration, set, groups, model, trainedOn ?? [])],
        };
        if (metric.IsOfGroups && metric.Column is { } measured) probe.RequireGroup(measured);
        return probe;
    }

    /// <summary>Some of the examples, without groups and without a metric of such: to be run as the whole is.</summary>
    /// <param name="examples">Their numbers.</param>
    public Probe Part(IReadOnlyList<int> examples) => new(
        Configuration.Metric.IsOfGroups ? Configuration with { Metric = new Metric.LogLikelihood() } : Configuration,
        [.. examples.Select(i => Examples[i])],
        [.. examples.Select(i => Targets[i])],
        [],
        Reference.Sha256,
        Reference.DefinitionSha256!);

    /// <summary>Of all that says what is measured, wherever the files lie and whatever the probe is called.</summary>
    private static string HashOf(ProbeConfiguration configuration, UnlabelledPolicy unlabelled)
    {
        var nameless = configuration with { Name = "", Path = "", Dataset = configuration.Dataset with { Path = "" } };
        return Convert.ToHexStringLower(SHA256.HashData(
            JsonSerializer.SerializeToUtf8Bytes(new { Probe = nameless, Unlabelled = unlabelled }, ArtifactJson.CompactOptions)));
    }

    /// <summary>The group of that name.</summary>
    /// <exception cref="ProbeException">No group has that name.</exception>
    public ProbeGroup RequireGroup(string name) => Groups.FirstOrDefault(group => group.Name == name)
        ?? throw ProbeException.UnknownGroup(Configuration.Path, name, Suggestion.For(name, [.. Groups.Select(group => group.Name)]));
}
