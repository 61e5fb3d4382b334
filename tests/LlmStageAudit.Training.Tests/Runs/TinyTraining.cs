using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Training.Tests.Runs;

/// <summary>Ways to train a tiny run: through, stopped after a step, or broken off.</summary>
internal static class TinyTraining
{
    public static RunManifest Train(RunConfiguration configuration, string path) =>
        RunTrainer.Train(configuration, path, TestDevice.Current, null, default);

    public static RunManifest Resume(string path) => RunTrainer.Resume(path, null, TestDevice.Current, null, default);

    /// <summary>Stops as on a signal, after a step of the run.</summary>
    public static TrainingException StopAfter(int step, Func<IProgress<RunProgress>, CancellationToken, RunManifest> run)
    {
        using var source = new CancellationTokenSource();
        return Assert.Throws<TrainingException>(() =>
            run(new Reports<RunProgress>(progress => { if (progress.Step == step) source.Cancel(); }), source.Token));
    }

    public static TrainingException TrainUntil(int step, RunConfiguration configuration, string path) =>
        StopAfter(step, (progress, token) => RunTrainer.Train(configuration, path, TestDevice.Current, progress, token));

    /// <summary>Breaks off without any clearing up, as a crash would.</summary>
    public static void TrainUntilCrash(int step, RunConfiguration configuration, string path) => Assert.Throws<IOException>(() =>
        RunTrainer.Train(
            configuration,
            path,
            TestDevice.Current,
            new Reports<RunProgress>(progress => { if (progress.Step == step) throw new IOException(); }),
            default));

    public static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    public static string[] States(RunManifest manifest) => [.. manifest.Stages.Select(stage => stage.StateSha256!)];

    public static string[] Heads(RunManifest manifest) => [.. manifest.Stages.Select(stage => stage.TrajectoryHead!)];
}
