using System.Text.Json;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Tests.Configuration;

public sealed class ProbeConfigurationReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_documented_probe_reads_as_documented()
    {
        var probe = Read(SampleYaml.Probe);

        Assert.Equal(("identity", _folder.At("identity.yaml")), (probe.Name, probe.Path));
        Assert.Equal(_folder.At("data/identity_probe.csv"), probe.Dataset.Path);
        Assert.Equal(("comment", "toxicity >= 0.5"), (probe.Dataset.Text, probe.Dataset.Label));
        Assert.Equal(["christian", "muslim", "black"], probe.Dataset.Groups.Select(group => group.Name));
        Assert.Equal(new Metric.LogLikelihood(), probe.Metric);
        Assert.Equal(ModelTask.SequenceClassification, probe.Task);
    }

    [Fact]
    public void Groups_may_have_names_of_their_own_and_samples_a_seed()
    {
        var probe = Read(SampleYaml.Probe.Replace(
            "groups: [christian, muslim, black]",
            "groups: [black, { name: muslim-strong, where: \"muslim >= 0.5\" }], sample: 100, missing: skip, quoting: none",
            StringComparison.Ordinal));
        Assert.Equal([new("black", "black"), new("muslim-strong", "muslim >= 0.5")], probe.Dataset.Groups);
        Assert.Equal(
            (100, 0L, MissingRows.Skip, TableQuoting.None),
            (probe.Dataset.Sample, probe.Dataset.SampleSeed, probe.Dataset.Missing, probe.Dataset.Quoting));

        // A group that is called as it is written stays the text that earlier records hold.
        var json = JsonSerializer.Serialize(probe.Dataset.Groups, ArtifactJson.CompactOptions);
        Assert.Equal("""["black",{"name":"muslim-strong","where":"muslim \u003E= 0.5"}]""", json);
        Assert.Equal(probe.Dataset.Groups, JsonSerializer.Deserialize<IReadOnlyList<GroupSection>>(json, ArtifactJson.CompactOptions)!);
        Assert.DoesNotContain("sample", JsonSerializer.Serialize(Read(SampleYaml.Probe).Dataset, ArtifactJson.CompactOptions));
    }

    [Theory]
    [InlineData("[{ name: a }]", "data.groups.0.where: missing")]
    [InlineData("[{ where: a }]", "data.groups.0.name: missing")]
    [InlineData("[a, { name: a, where: b }]", "data.groups.1: 'a' is given twice")]
    [InlineData("[{ name: a, wher: b, where: c }]", "data.groups.0.wher: unknown key; did you mean 'where'?")]
    public void Faults_of_a_named_group_are_named(string groups, string named)
    {
        var text = SampleYaml.Probe.Replace("[christian, muslim, black]", groups, StringComparison.Ordinal);
        Assert.Contains(named, Assert.Single(Assert.Throws<ConfigurationException>(() => Read(text)).Faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("margin", "margin", null)]
    [InlineData("{ log-likelihood: \"christian >= 0.5\" }", "log-likelihood", "christian >= 0.5")]
    [InlineData("{ margin: null }", "margin", null)]
    [InlineData("subgroup-auc", "subgroup-auc", null)]
    [InlineData("{ bnsp-auc: black }", "bnsp-auc", "black")]
    [InlineData("worst-group-accuracy", "worst-group-accuracy", null)]
    public void A_metric_is_a_name_or_a_name_with_its_column(string yaml, string name, string? column)
    {
        var probe = Read(SampleYaml.Probe.Replace("metric: log-likelihood", $"metric: {yaml}", StringComparison.Ordinal));

        Assert.Equal(Metric.Of(name, column), probe.Metric);
    }

    [Fact]
    public void Metric_task_and_label_may_be_left_to_the_run()
    {
        var probe = Read("name: short\ndata: { path: /p.jsonl, ids: ids }\n");

        Assert.Equal(("short", null, "log-likelihood"), (probe.Name, probe.Task, $"{probe.Metric}"));
        Assert.Equal("ids", probe.Dataset.Ids);
    }

    [Fact]
    public void A_file_name_becomes_a_name_that_files_can_have()
    {
        var path = _folder.Write("my probe (1).yaml", SampleYaml.Probe);

        Assert.Equal("my-probe--1-", ProbeConfigurationReader.Read(path).Name);
    }

    [Theory]
    [InlineData("metric: log-likelihood", "metric: accuracy", "metric: 'accuracy'; expected log-likelihood, margin")]
    [InlineData("metric: log-likelihood", "metric: log-likelihod", "did you mean 'log-likelihood'?")]
    [InlineData("metric: log-likelihood", "metric: { logl: x }", "metric.logl: unknown key")]
    [InlineData("metric: log-likelihood", "metric: {}", "metric: an empty block; expected one")]
    [InlineData("metric: log-likelihood", "metric: { margin: a, log-likelihood: b }", "metric: several metrics")]
    [InlineData("metric: log-likelihood", "metric: [margin]", "metric: a list")]
    [InlineData(", groups: [christian, muslim, black] }", " }\nname: x/y", "name: 'x/y'; expected 1 to 100 letters")]
    [InlineData(", groups: [christian, muslim, black] }", ", groups: [a, a] }", "data.groups.1: 'a' is given twice")]
    [InlineData("label: \"toxicity >= 0.5\", ", "", "data: no label")]
    [InlineData("path: data/identity_probe.csv, ", "", "data.path: missing")]
    [InlineData("task: sequence", "epochs: 1\ntask: sequence", "epochs: unknown key; known: name, data, metric, task")]
    public void Each_fault_is_named_alone(string replaced, string by, string expected)
    {
        var yaml = SampleYaml.Probe.Replace(replaced, by, StringComparison.Ordinal);
        Assert.NotEqual(SampleYaml.Probe, yaml);

        var exception = Assert.Throws<ConfigurationException>(() => Read(yaml));

        Assert.Contains(expected, Assert.Single(exception.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void A_group_metric_needs_groups()
    {
        const string yaml = "data: { path: p.csv, format: civil-comments }\nmetric: bpsn-auc\n";

        var exception = Assert.Throws<ConfigurationException>(() => Read(yaml));

        Assert.Contains(
            "data: no groups; expected groups: the identity columns that bpsn-auc compares", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_round_trips_through_json()
    {
        var json = JsonSerializer.Serialize(Read(SampleYaml.Probe), ArtifactJson.Options);

        var read = JsonSerializer.Deserialize<ProbeConfiguration>(json, ArtifactJson.Options);
        Assert.Equal(json, JsonSerializer.Serialize(read, ArtifactJson.Options));
    }

    private ProbeConfiguration Read(string yaml) => ProbeConfigurationReader.Read(_folder.Write("identity.yaml", yaml));
}
