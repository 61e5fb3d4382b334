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
        Assert.Equal(["christian", "muslim", "black"], probe.Dataset.Groups);
        Assert.Equal(new Metric.LogLikelihood(), probe.Metric);
        Assert.Equal(ModelTask.SequenceClassification, probe.Task);
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
