using LlmStageAudit.Artifacts.Files;
using LlmStageAudit.Artifacts.Runs;
using LlmStageAudit.Artifacts.Seals.Verification;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Tests.Runs;
using LlmStageAudit.Training.Verification;

namespace LlmStageAudit.Training.Tests.Verification;

/// <summary>A forger who makes every hash and every seal anew is caught by arithmetic.</summary>
public sealed class RunReplayTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public void An_untouched_run_gives_its_gradients_and_its_states_again(bool adamW, bool lora)
    {
        Train(adamW, lora);
        var verification = Replay(7, 1);
        Assert.Empty(verification.Findings);
        Assert.Equal((7, 0.0), (verification.Replayed, verification.WorstGradientError));
        Assert.Equal((3, 0.0), (verification.StatesReplayed, verification.WorstStateError));
        Assert.Equal(11, Replay(1000, 1).Replayed);
    }

    [Fact]
    public void A_forged_gradient_under_fresh_hashes_and_seals_is_not_reproduced()
    {
        var folder = Train();
        var head = LogForging.Forge(folder, 0, "first", (record, gradient) =>
        {
            if (record.StageStep == 4) gradient[^1] ^= 0x80;
            return (record, gradient);
        });
        Reseal(folder, stage => stage with { TrajectoryHead = head });
        var findings = Replay(11, 3).Findings;
        var gradient = findings.First(finding => finding.Record is not null);
        Assert.Equal(("stages/01-first/trajectory.log", 4), (gradient.File, gradient.Record));
        Assert.Contains("recomputing step 4 gives another gradient", gradient.Message, StringComparison.Ordinal);

        // Even where no step is chosen that was forged: the state does not follow from the log.
        Assert.Contains(findings, finding => finding is { File: "stages/01-first/state", Kind: FindingKind.NotReproduced });
    }

    [Theory]
    [InlineData("lossNats")]
    [InlineData("learningRate")]
    public void A_forged_value_under_fresh_hashes_and_seals_is_not_reproduced(string field)
    {
        var folder = Train();
        var head = LogForging.Forge(folder, 0, "first", (record, gradient) => record.StageStep != 5
            ? (record, gradient)
            : (
                field == "lossNats"
                    ? record with { LossNats = record.LossNats * 0.9 }
                    : record with { LearningRate = record.LearningRate * 1.1 },
                gradient));
        Reseal(folder, stage => stage with { TrajectoryHead = head });
        var finding = Assert.Single(Replay(11, 3).Findings);
        Assert.Equal(("stages/01-first/trajectory.log", 5, field), (finding.File, finding.Record, finding.Field));
    }

    [Fact]
    public void A_forged_state_under_fresh_seals_does_not_follow_from_its_log()
    {
        var folder = Train();
        var weights = Path.Combine(folder.StageStateFolder(2, "third"), "adapter_model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 0x80;
        File.WriteAllBytes(weights, bytes);
        var manifest = folder.ReadManifest();
        var stages = manifest.Stages.ToArray();
        stages[2] = stages[2] with { StateSha256 = ContentHash.OfFile(weights) };
        LogForging.Reseal(folder, manifest with { Stages = stages });
        Assert.True(RunVerifier.Verify(folder, false, default).IsIntact);
        var finding = Assert.Single(Replay(1, 3).Findings);
        Assert.Equal("stages/03-third/state", finding.File);
    }

    public void Dispose() => _folder.Dispose();

    private RunFolder Train(bool adamW = false, bool lora = true)
    {
        TinyTraining.Train(TinyRun.Write(_folder, adamW ? TinyRun.AdamW : TinyRun.Sgd, lora), _folder.At("run"));
        return RunFolder.Open(_folder.At("run"));
    }

    private static void Reseal(RunFolder folder, Func<StageResult, StageResult> first)
    {
        var manifest = folder.ReadManifest();
        LogForging.Reseal(folder, manifest with { Stages = [first(manifest.Stages[0]), .. manifest.Stages.Skip(1)] });
        Assert.True(RunVerifier.Verify(folder, false, default).IsIntact);
    }

    private ReplayVerification Replay(int steps, long seed)
    {
        using var run = TrainedRun.Open(_folder.At("run"), TestDevice.Current);
        return RunReplay.Verify(run, steps, seed, default);
    }
}
