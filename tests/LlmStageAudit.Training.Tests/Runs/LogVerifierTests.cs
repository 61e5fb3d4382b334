using LlmStageAudit.Artifacts.Runs;
using LlmStageAudit.Artifacts.Trajectories;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Training.Tests.Runs;

public sealed class LogVerifierTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void An_untouched_run_is_intact_and_its_steps_give_the_logged_gradients_again()
    {
        Train();
        using var run = TrainedRun.Open(_folder.At("run"));
        var verification = LogVerifier.Replay(run, steps: 7, seed: 1, default);
        Assert.Empty(verification.Findings);
        Assert.Equal((6 + 2 + 3, 7), (verification.Records, verification.Replayed));
        Assert.Equal(0, verification.WorstGradientError);
        Assert.Equal(11, LogVerifier.Replay(run, steps: 1000, seed: 1, default).Replayed);
    }

    [Fact]
    public void A_changed_bit_is_found_with_its_record()
    {
        var path = Train().TrajectoryPath(1, "second");
        var bytes = File.ReadAllBytes(path);
        bytes[^100] ^= 1;
        File.WriteAllBytes(path, bytes);
        var verification = LogVerifier.Verify(RunFolder.Open(_folder.At("run")), default);
        Assert.Contains("record 2", Assert.Single(verification.Findings), StringComparison.Ordinal);
        Assert.Equal(6 + 3, verification.Records);
    }

    [Fact]
    public void Removed_records_are_found_by_the_manifest()
    {
        var folder = Train();
        Forge(folder, (record, gradient) => record.StageStep <= 5 ? gradient : null);
        Assert.Contains("5 records; the manifest says 6", Assert.Single(LogVerifier.Verify(folder, default).Findings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_forged_gradient_under_fresh_hashes_breaks_the_chain_s_end_and_the_replay()
    {
        var folder = Train();
        var head = Forge(folder, (record, gradient) =>
        {
            if (record.StageStep == 4) gradient[^1] ^= 0x80;
            return gradient;
        });
        Assert.Contains("the chain ends in", Assert.Single(LogVerifier.Verify(folder, default).Findings), StringComparison.Ordinal);

        // A forger who also mends the manifest is still caught by arithmetic.
        var manifest = folder.ReadManifest();
        folder.WriteManifest(manifest with { Stages = [manifest.Stages[0] with { TrajectoryHead = head }, .. manifest.Stages.Skip(1)] });
        Assert.Empty(LogVerifier.Verify(folder, default).Findings);
        using var run = TrainedRun.Open(folder.Root);
        var replayed = LogVerifier.Replay(run, steps: 11, seed: 3, default);
        Assert.Contains(replayed.Findings, finding => finding.Contains("step 4: recomputing gives another gradient", StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private RunFolder Train()
    {
        RunTrainer.Train(TinyRun.Write(_folder, TinyRun.Sgd), _folder.At("run"), null, null, default);
        return RunFolder.Open(_folder.At("run"));
    }

    /// <summary>Writes the first stage's log anew with other gradients (null leaves the record out) and right hashes.</summary>
    private static string Forge(RunFolder folder, Func<StepRecord, byte[], byte[]?> change)
    {
        var path = folder.TrajectoryPath(0, "first");
        var genesis = StageLog.Genesis(folder.ReadManifest().RunId, "first");
        var records = new List<(StepRecord Record, byte[] Gradient)>();
        using (var reader = TrajectoryReader.Open(path, genesis))
        {
            for (var i = 0; i < reader.Count; i++)
            {
                var gradient = new byte[reader.GradientBytes];
                reader.ReadGradient(i, gradient);
                if (change(reader.Steps[i], gradient) is { } changed) records.Add((reader.Steps[i], changed));
            }
        }

        File.Delete(path);
        using var writer = TrajectoryWriter.Create(path, genesis);
        foreach (var (record, gradient) in records) writer.Append(record, gradient);
        return writer.HeadHash;
    }
}
