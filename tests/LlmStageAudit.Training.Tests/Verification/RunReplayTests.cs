using System.Runtime.InteropServices;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Seals.Verification;
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

    /// <summary>Engines differ by about a hundredth through a base in bfloat16; that is nobody's forgery, a tenth is.</summary>
    [Theory]
    [InlineData(0.01, false, true)]
    [InlineData(0.01, true, false)]
    [InlineData(0.2, true, true)]
    public void Through_a_bfloat16_base_another_engine_is_given_its_rounding(double change, bool elsewhere, bool isFound)
    {
        var folder = Train(dtype: ModelDtype.BFloat16);
        Assert.Equal((0.0, 1e-4), (Replay(11, 3).WorstGradientError, Replay(11, 3).GradientTolerance));
        LogForging.Forge(folder, 0, "first", (record, gradient) =>
        {
            if (record.StageStep != 4) return (record, gradient);
            var values = MemoryMarshal.Cast<byte, float>(gradient.AsSpan()).ToArray();
            return (record, MemoryMarshal.AsBytes(values.Select(value => value * (float)(1 + change)).ToArray().AsSpan()).ToArray());
        });
        var manifest = folder.ReadManifest();
        if (elsewhere) folder.WriteManifest(manifest with { LaterEngines = [manifest.Engine with { LibTorchVersion = "0.0.0" }] });
        var replay = Replay(11, 3);
        Assert.Equal(elsewhere ? 0.05 : 1e-4, replay.GradientTolerance);
        Assert.Equal(isFound, replay.Findings.Any(finding => finding.Message.Contains("step 4 gives another gradient", StringComparison.Ordinal)));

        // What follows from the log does not go through the base, and is held to float32 anywhere.
        Assert.Contains(replay.Findings, finding => finding.File == "stages/01-first/state");
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

    private RunFolder Train(bool adamW = false, bool lora = true, ModelDtype dtype = ModelDtype.Float32)
    {
        var configuration = TinyRun.Write(_folder, adamW ? TinyRun.AdamW : TinyRun.Sgd, lora);
        TinyTraining.Train(configuration with { Model = configuration.Model with { Dtype = dtype } }, _folder.At("run"));
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
