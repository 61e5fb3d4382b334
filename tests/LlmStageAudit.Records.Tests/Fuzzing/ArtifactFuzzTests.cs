using System.Text.Json;
using System.Text.Unicode;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Tests.Serialization;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Records.Tests.Fuzzing;

/// <summary>The JSON files that one verb writes and the next one reads.</summary>
public sealed class ArtifactFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Damaged_manifests_load_soundly_or_fail_typed() => Damage(SampleArtifacts.Run, 60_000, run =>
    {
        var folder = RunFolder.Create(_folder.At("never-made"));
        Directory.Delete(folder.Root);
        foreach (var stage in run.Stages)
        {
            Assert.Equal(folder.StagesFolder, Path.GetDirectoryName(folder.StageFolder(stage.Index, stage.Name)));
            Assert.InRange(stage.Index, 0, run.Configuration.Stages.Count - 1);
            Assert.True(stage.Steps >= 0);
        }

        Assert.All(run.Configuration.Stages, stage => Assert.InRange(stage.BatchSize, 1, 1_000_000));
        Assert.All(run.Configuration.Stages, stage => Assert.InRange(stage.Epochs, 1, 1_000_000));
    });

    [Fact]
    public void Damaged_effects_load_soundly_or_fail_typed() => Damage(SampleArtifacts.Effects, 40_000, effects =>
    {
        Assert.True(effects.Probe.Examples >= 0);
        Assert.All(effects.Effects, effect => Assert.False(effect.LastStep < effect.FirstStep));
    });

    [Fact]
    public void Damaged_rankings_load_soundly_or_fail_typed() => Damage(SampleArtifacts.Ranking, 30_000, _ => { });

    [Fact]
    public void Damaged_plans_load_soundly_or_fail_typed() => Damage(SampleArtifacts.Plan, 40_000, plan =>
    {
        Assert.All(plan.Jobs, job => Assert.Equal(job.Id, Path.GetFileName(job.Id)));
        Assert.Equal(plan.Jobs.Count, plan.Jobs.Select(job => job.Id).Distinct().Count());
        Assert.True(plan.TotalSteps >= 0);
    });

    [Fact]
    public void Damaged_verifications_load_soundly_or_fail_typed() => Damage(SampleArtifacts.Verification, 30_000, verification =>
        Assert.All(verification.Stages, stage => Assert.Equal(stage.Examples, stage.MeasuredPerExample.Count)));

    [Fact]
    public void Damaged_comparisons_load_soundly_or_fail_typed() => Damage(SampleArtifacts.Comparison, 30_000, _ => { });

    [Fact]
    public void Damaged_block_scores_load_soundly_or_fail_typed() => Damage(Blocks(), 30_000, scores =>
    {
        Assert.Equal(scores.After.Count, scores.Before.Count);
        for (var b = 0; b < scores.After.Count; b++) Assert.Equal(b + 1, scores.Before[b].Count);
    });

    // What loads can be written, and says the same when it is read again.
    private void Damage<T>(T whole, int count, Action<T> checkSound)
        where T : class, IArtifact<T>
    {
        var path = _folder.At($"{T.KindName}.json");
        ArtifactJson.Write(path, whole);
        var seed = File.ReadAllBytes(path);
        new FuzzCampaign($"{T.KindName} (json)", count).Run(
            random => JsonMutator.Mutate(seed, random),
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                var read = ArtifactJson.Read<T>(path);
                checkSound(read);
                File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(read, ArtifactJson.Options));
                Assert.True(ArtifactJson.AreEqual(read, ArtifactJson.Read<T>(path)));
            },
            bytes => !Utf8.IsValid(bytes)
                || JsonSpans.Of(bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? bytes.AsSpan(3) : bytes) is null);
    }

    private static BlockScoresArtifact Blocks() => new()
    {
        RunId = "0f3a",
        Probe = SampleArtifacts.Effects.Probe,
        Metric = "log-likelihood",
        Estimator = Estimator.Parse("adjoint"),
        CreatedUtc = DateTime.UnixEpoch,
        After = [0.1, double.NaN, 3],
        Before = [[1], [1, 2], [1, 2, double.NegativeInfinity]],
        Trust = TrustGrade.Low,
        Evidence = new TrustEvidence { Reason = "no check", Checks = 1 },
    };
}
