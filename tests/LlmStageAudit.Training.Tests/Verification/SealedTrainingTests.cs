using System.Text.Json.Nodes;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Seals;
using LlmStageAudit.Seals.Verification;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Tests.Runs;

namespace LlmStageAudit.Training.Tests.Verification;

/// <summary>Training seals what it completes, before it says so, and goes on from seals it can prove.</summary>
public sealed class SealedTrainingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private RunFolder Run => RunFolder.Open(_folder.At("run"));

    [Fact]
    public void A_completed_run_is_sealed_as_a_whole()
    {
        Train();
        var verification = Verify();
        Assert.Empty(verification.Findings);
        Assert.Equal((SealCoverage.Whole, 6 + 2 + 3), (verification.Coverage, verification.Records));
        var seal = ArtifactJson.Read<RunSeal>(Run.SealPath);
        Assert.Equal(
            [SealScope.Start, SealScope.Stage, SealScope.Stage, SealScope.Stage, SealScope.Run],
            seal.Seals.Select(entry => entry.Scope));
        Assert.Equal(
            ["initial/README.md", "initial/adapter_config.json", "initial/adapter_model.safetensors"],
            seal.Seals[0].Files.Select(file => file.Path));
        Assert.Equal([6, 2, 3], seal.Seals.Where(entry => entry.Log is not null).Select(entry => entry.Log!.Records));
        Assert.Equal("manifest.json", Assert.Single(seal.Seals[^1].Files).Path);
    }

    [Fact]
    public void Every_seal_is_chained_to_the_one_before()
    {
        Train();
        var seals = JsonNode.Parse(File.ReadAllText(Run.SealPath))!["seals"]!.AsArray();
        for (var i = 1; i < seals.Count; i++) Assert.Equal((string?)seals[i - 1]!["sha256"], (string?)seals[i]!["previousSha256"]);
        Assert.Equal(seals.Count, seals.Select(seal => (string?)seal!["sha256"]).Distinct().Count());
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(6, 1)]
    [InlineData(7, 1)]
    [InlineData(10, 2)]
    public void A_stopped_run_is_sealed_up_to_its_last_stage_and_then_to_its_end(int step, int stages)
    {
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW);
        TinyTraining.TrainUntil(step, configuration, Run0());
        var stopped = Verify();
        Assert.Empty(stopped.Findings);
        Assert.Equal((SealCoverage.Partial, stages), (stopped.Coverage, stopped.Stages.Sealed));
        Assert.Contains($"the run is not finished: {stages} of 3 stages are sealed", stopped.Notes);
        TinyTraining.Resume(Run0());
        Assert.Empty(Verify().Findings);
        Assert.Equal(SealCoverage.Whole, Verify().Coverage);
    }

    [Fact]
    public void Seals_of_stages_hold_no_times_so_that_they_come_again_however_a_run_is_interrupted()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        TinyTraining.TrainUntil(1, configuration, Run0());
        TinyTraining.Copy(Run0(), _folder.At("other"));
        TinyTraining.Resume(Run0());
        TinyTraining.StopAfter(8, (progress, token) => RunTrainer.Resume(_folder.At("other"), null, TestDevice.Current, progress, token));
        TinyTraining.Resume(_folder.At("other"));
        var (one, two) = (ArtifactJson.Read<RunSeal>(Run.SealPath), ArtifactJson.Read<RunSeal>(_folder.At("other", "seal.json")));
        Assert.Equal(one.Seals.SkipLast(1).Select(seal => seal.Sha256), two.Seals.SkipLast(1).Select(seal => seal.Sha256));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_run_that_broke_off_between_seal_and_manifest_is_sealed_again(int stages)
    {
        var (before, after) = BreakOffAfterSeal(stages);
        Assert.Empty(Verify().Findings);
        TinyTraining.Resume(Run0());
        Assert.Equal(SealCoverage.Whole, Verify().Coverage);
        Assert.Empty(Verify().Findings);
        // What was sealed before the manifest knew is sealed as the same.
        Assert.Equal(
            after.Seals.Take(stages + 1).Select(seal => seal.Sha256),
            ArtifactJson.Read<RunSeal>(Run.SealPath).Seals.Take(stages + 1).Select(seal => seal.Sha256));
        Assert.Equal(stages - 1, before.Stages.Count(stage => stage.State == StageState.Completed));
    }

    [Fact]
    public void A_run_that_broke_off_between_its_last_seal_and_its_manifest_ends_with_the_bytes_that_were_sealed()
    {
        Train();
        var (seal, manifest) = (File.ReadAllBytes(Run.SealPath), File.ReadAllBytes(Run.ManifestPath));
        Run.WriteManifest(Run.ReadManifest() with { State = RunState.Running });
        var broken = Verify();
        Assert.Empty(broken.Findings);
        Assert.Equal(SealCoverage.Partial, broken.Coverage);
        Assert.Contains(broken.Notes, note => note.Contains("broke off just before its end", StringComparison.Ordinal));
        TinyTraining.Resume(Run0());
        Assert.Equal(seal, File.ReadAllBytes(Run.SealPath));
        Assert.Equal(manifest, File.ReadAllBytes(Run.ManifestPath));
    }

    [Fact]
    public void A_log_that_was_changed_after_its_stage_was_sealed_is_not_sealed_again()
    {
        BreakOffAfterSeal(2);
        LogForging.Forge(Run, 1, "second", (record, gradient) =>
        {
            gradient[3] ^= 0x40;
            return (record, gradient);
        });
        var error = Assert.Throws<SealException>(() => TinyTraining.Resume(Run0()));
        Assert.Equal(ErrorKind.Finding, error.Kind);
        Assert.Contains("the log of stage 'second' is not what was sealed", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("seal.json")]
    [InlineData("initial/adapter_model.safetensors")]
    [InlineData("stages/01-first/state/adapter_config.json")]
    public void A_run_is_not_gone_on_with_from_what_was_changed(string file)
    {
        TinyTraining.TrainUntil(7, TinyRun.Write(_folder, TinyRun.Sgd), Run0());
        var path = Path.Combine([_folder.At("run"), .. file.Split('/')]);
        var text = File.ReadAllBytes(path);
        // A digit or a letter for its neighbour, so that what is JSON stays JSON.
        var at = Array.FindLastIndex(text, value => value is >= (byte)'0' and < (byte)'9');
        text[at]++;
        File.WriteAllBytes(path, text);
        var error = Assert.Throws<SealException>(() => TinyTraining.Resume(Run0()));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_is_not_gone_on_with_under_a_changed_manifest()
    {
        TinyTraining.TrainUntil(7, TinyRun.Write(_folder, TinyRun.Sgd), Run0());
        var manifest = Run.ReadManifest();
        Run.WriteManifest(manifest with { Configuration = manifest.Configuration with { Seed = 12 } });
        Assert.Contains("configuration", Assert.Throws<SealException>(() => TinyTraining.Resume(Run0())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_changed_under_fresh_seals_does_not_fit_the_run_s_id()
    {
        Train();
        var manifest = Run.ReadManifest();
        LogForging.Reseal(Run, manifest with { Configuration = manifest.Configuration with { Seed = 12 } });
        var finding = Assert.Single(Verify().Findings);
        Assert.Equal(("manifest.json", "runId"), (finding.File, finding.Field));
    }

    [Fact]
    public void A_run_whose_seal_was_removed_is_not_gone_on_with()
    {
        TinyTraining.TrainUntil(8, TinyRun.Write(_folder, TinyRun.Sgd), Run0());
        File.Delete(Run.SealPath);
        Assert.Equal(FindingKind.Unsealed, Assert.Single(Verify().Findings).Kind);
        var error = Assert.Throws<SealException>(() => TinyTraining.Resume(Run0()));
        Assert.StartsWith(Run.SealPath, error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Run.SealPath));
    }

    [Fact]
    public void A_run_without_logged_gradients_is_sealed_too()
    {
        TinyTraining.Train(TinyRun.Write(_folder, TinyRun.Sgd) with { Trajectory = new() { Gradients = false } }, Run0());
        var verification = Verify();
        Assert.Empty(verification.Findings);
        Assert.Equal((SealCoverage.Whole, 11), (verification.Coverage, verification.Records));
    }

    [Fact]
    public void A_counterfactual_without_any_stage_left_is_sealed()
    {
        Train();
        using var run = TrainedRun.Open(Run0(), TestDevice.Current);
        RunTrainer.TrainWithout(run, "third", _folder.At("without"), null, default);
        var verification = RunVerifier.Verify(RunFolder.Open(_folder.At("without")), false, default);
        Assert.Empty(verification.Findings);
        Assert.Equal((SealCoverage.Whole, 0), (verification.Coverage, verification.Records));
    }

    public void Dispose() => _folder.Dispose();

    private string Run0() => _folder.At("run");

    private void Train() => TinyTraining.Train(TinyRun.Write(_folder, TinyRun.Sgd), Run0());

    private RunVerification Verify() => RunVerifier.Verify(Run, demandInputs: true, default);

    /// <summary>A run whose seal knows that many stages and whose manifest one less.</summary>
    private (RunManifest Manifest, RunSeal Seal) BreakOffAfterSeal(int stages)
    {
        var end = new[] { 6, 8, 11 }[stages - 1];
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        // Broken off in the last step of the stage: all is logged, nothing is saved.
        TinyTraining.TrainUntilCrash(end, configuration, Run0());
        var manifest = File.ReadAllBytes(Run.ManifestPath);
        if (stages < 3)
            TinyTraining.StopAfter(end + 1, (progress, token) => RunTrainer.Resume(Run0(), null, TestDevice.Current, progress, token));
        else
            TinyTraining.Resume(Run0());
        var seal = ArtifactJson.Read<RunSeal>(Run.SealPath);
        if (stages < 3) Directory.Delete(Run.StageFolder(stages, stages == 1 ? "second" : "third"), recursive: true);
        else
        {
            // The seal of the run's end follows that of the last stage's end.
            seal = SealJson.Rejoin(seal with { Seals = [.. seal.Seals.SkipLast(1)], Sequence = seal.Sequence - 1 });
            ArtifactJson.Write(Run.SealPath, seal);
        }

        File.WriteAllBytes(Run.ManifestPath, manifest);
        return (Run.ReadManifest(), seal);
    }
}
