using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Records.Tests.Trajectories;

/// <summary>A log of a few small steps whose every value is known.</summary>
internal static class SampleLog
{
    public const string Genesis = "run 0f3a, stage religion";
    public const int GradientBytes = 12;

    public static StepRecord Step(int step) => new()
    {
        Step = step + 100,
        StageStep = step,
        Epoch = (step - 1) / 2,
        LearningRate = 1e-4 / step,
        LossNats = 0.1 * step,
        GradientNorm = step == 2 ? double.NaN : 1.5,
        BatchIds = [$"row-{step}", "zwölf"],
    };

    public static byte[] Gradient(int step) => [.. new[] { step, -0.5f, 1e-30f }.SelectMany(BitConverter.GetBytes)];

    public static string Write(TemporaryFolder folder, int count, string name = "trajectory.log", string genesis = Genesis)
    {
        var path = folder.At(name);
        using var writer = TrajectoryWriter.Create(path, genesis);
        for (var step = 1; step <= count; step++) writer.Append(Step(step), Gradient(step));
        return path;
    }

    /// <summary>Opens the log and checks everything in it.</summary>
    public static int ReadAll(string path, string genesis = Genesis)
    {
        using var reader = TrajectoryReader.Open(path, genesis);
        var gradient = new byte[reader.GradientBytes];
        for (var i = 0; i < reader.Count; i++) reader.ReadGradient(i, gradient);
        reader.Verify();
        return reader.Count;
    }

    public static void AssertSame(StepRecord expected, StepRecord actual)
    {
        Assert.Equal(expected with { BatchIds = actual.BatchIds }, actual);
        Assert.Equal(expected.BatchIds, actual.BatchIds);
    }
}
