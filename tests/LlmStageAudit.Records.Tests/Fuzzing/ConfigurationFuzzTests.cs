using System.Text;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Tests.Configuration;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Records.Tests.Fuzzing;

public sealed class ConfigurationFuzzTests : IDisposable
{
    private static readonly byte[][] Runs = [Bytes(SampleYaml.Run), Bytes(SampleYaml.Small)];
    private static readonly byte[] Probe = Bytes(SampleYaml.Probe);

    private static readonly byte[][] Overrides =
    [
        Bytes("optimizer.learningRate=5e-5"), Bytes("stages.one.data={ path: a.csv, text: t, label: l }"), Bytes("stages.1.batchSize=16"),
        Bytes("adapter.targetModules=[q_proj, v_proj]"), Bytes("probes=[p.yaml]"), Bytes("stages.two.b.data.where=\"x >= 0.5\""),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>What loads is inside the documented ranges, with paths that are absolute.</summary>
    [Fact]
    public void Damaged_runs_load_soundly_or_fail_typed() => new FuzzCampaign("run configuration (yaml)", 60_000).Run(
        random => TextMutator.Mutate(Runs[random.Next(Runs.Length)], random),
        bytes => CheckSound(RunConfigurationReader.Read(Written("run.yaml", bytes), [])),
        bytes => bytes.Length == 0 || bytes.Contains((byte)0xFF));

    [Fact]
    public void Damaged_probes_load_soundly_or_fail_typed() => new FuzzCampaign("probe (yaml)", 40_000).Run(
        random => TextMutator.Mutate(Probe, random),
        bytes =>
        {
            var read = ProbeConfigurationReader.Read(Written("probe.yaml", bytes));
            Assert.True(Path.IsPathFullyQualified(read.Dataset.Path));
            Assert.True(IsName(read.Name));
            Assert.InRange(read.Dataset.Limit ?? 1, 1, int.MaxValue);
            Assert.Equal(read.Dataset.Groups.Distinct(), read.Dataset.Groups);
        },
        bytes => bytes.Length == 0 || bytes.Contains((byte)0xFF));

    [Fact]
    public void Damaged_overrides_act_soundly_or_fail_typed()
    {
        var path = Written("small.yaml", Runs[1]);
        new FuzzCampaign("--set overrides", 40_000).Run(
            random => Damaged(random),
            bytes => CheckSound(RunConfigurationReader.Read(path, Encoding.UTF8.GetString(bytes).Split('\u0001'))),
            _ => false);
    }

    // One to three overrides in one input, each damaged or whole.
    private static byte[] Damaged(StableRandom random) => [.. Enumerable.Range(0, 1 + random.Next(3)).SelectMany(i =>
    {
        var whole = Overrides[random.Next(Overrides.Length)];
        var one = i == 0 || random.Next(2) == 0 ? TextMutator.Mutate(whole, random) : whole;
        return i == 0 ? one : [1, .. one];
    })];

    private static void CheckSound(RunConfiguration read)
    {
        Assert.InRange(read.Stages.Count, 1, 100);
        Assert.Equal(read.Stages.Count, read.Stages.Select(stage => stage.Name).Distinct().Count());
        Assert.True(Path.IsPathFullyQualified(read.Model.Path));
        Assert.InRange(read.Model.Labels, 2, 100_000);
        Assert.InRange(read.Model.MaxLength ?? 1, 1, 1 << 20);
        Assert.InRange(read.Adapter?.Rank ?? 1, 1, 1 << 16);
        foreach (var stage in read.Stages)
        {
            Assert.True(IsName(stage.Name));
            Assert.InRange(stage.Epochs, 1, 1_000_000);
            Assert.InRange(stage.BatchSize, 1, 1_000_000);
            Assert.InRange(stage.MicroBatchSize ?? 1, 1, stage.BatchSize);
            Assert.InRange(stage.Dataset.Limit ?? 1, 1, int.MaxValue);
            Assert.True(Path.IsPathFullyQualified(stage.Dataset.Path));
            var rate = stage.Optimizer.LearningRate;
            Assert.True(double.IsFinite(rate) && rate >= 0);
            Assert.InRange(stage.Schedule.WarmupRatio, 0, 1);
        }
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 100 && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_');

    private string Written(string name, byte[] bytes)
    {
        var path = _folder.At(name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
