using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Training.Tests.Verification;

/// <summary>What someone does who knows the log's format.</summary>
internal static class LogForging
{
    /// <summary>Writes a stage's log anew with other records (null leaves one out) and right hashes.</summary>
    /// <returns>The hash it ends with.</returns>
    public static string Forge(RunFolder folder, int index, string stage, Func<StepRecord, byte[], (StepRecord, byte[])?> change)
    {
        var path = folder.TrajectoryPath(index, stage);
        var genesis = TrajectoryGenesis.Of(folder.ReadManifest().RunId, stage);
        var records = new List<(StepRecord Record, byte[] Gradient)>();
        using (var reader = TrajectoryReader.Open(path, genesis))
        {
            for (var i = 0; i < reader.Count; i++)
            {
                var gradient = new byte[reader.GradientBytes];
                reader.ReadGradient(i, gradient);
                if (change(reader.Steps[i], gradient) is { } changed) records.Add(changed);
            }
        }

        File.Delete(path);
        using var writer = TrajectoryWriter.Create(path, genesis);
        foreach (var (record, gradient) in records) writer.Append(record, gradient);
        return writer.HeadHash;
    }

    /// <summary>Seals a completed run anew, as it lies there, with its manifest.</summary>
    public static void Reseal(RunFolder folder, RunManifest manifest)
    {
        File.Delete(folder.SealPath);
        folder.WriteManifest(manifest with
        {
            State = RunState.Running,
            Stages = [.. manifest.Stages.Select(stage => stage with { State = StageState.Pending })],
        });
        Seals.Sealing.RunSealer.Open(folder).Seal(manifest);
        folder.WriteManifest(manifest);
    }
}
