using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Tests;

/// <summary>Three stages on polynomial objectives of their own, with seven parameters: 6, 4 and 6 steps.</summary>
internal static class SmallRun
{
    public const int Parameters = 7;

    public static OptimizerSection Sgd { get; } =
        new() { Name = OptimizerName.Sgd, LearningRate = 0.02, Momentum = 0.9, WeightDecay = 0.01 };

    public static OptimizerSection AdamW { get; } = new() { Name = OptimizerName.AdamW, LearningRate = 0.05, WeightDecay = 0.1 };

    public static ScheduleSection Linear { get; } = new() { Name = ScheduleName.Linear, WarmupSteps = 1 };

    public static ScheduleSection Cosine { get; } = new() { Name = ScheduleName.Cosine };

    public static StageSection Section(string name, OptimizerSection optimizer, int epochs = 2) => new()
    {
        Name = name,
        Dataset = new DatasetSection { Path = "none" },
        Epochs = epochs,
        BatchSize = 4,
        Optimizer = optimizer,
        Schedule = Linear,
    };

    /// <param name="change">Of each stage's section, by index.</param>
    public static RetrainableTrajectory Train(
        OptimizerSection optimizer, double cubic, Func<int, StageSection, StageSection>? change = null, bool logsGradients = true)
    {
        StageProgram Program(int index, string name, int examples)
        {
            var section = Section(name, optimizer);
            return StageProgram.Of(
                change?.Invoke(index, section) ?? section, PolynomialObjective.Random(examples, Parameters, 20 + index, cubic), seed: 5);
        }

        return new RetrainableTrajectory(
            [Program(0, "first", 10), Program(1, "second", 8), Program(2, "third", 9)], Vectors.Normal(Parameters, 1, 0.3))
        {
            LogsGradients = logsGradients,
        };
    }

    public static double[] Replay(
        RetrainableTrajectory trajectory, string source, Counterfactual counterfactual, double rho = 0.5, long seed = 1) =>
        Replay(trajectory, source, [counterfactual], rho, seed)[0];

    public static double[][] Replay(
        RetrainableTrajectory trajectory, string source, Counterfactual[] counterfactuals, double rho = 0.5, long seed = 1)
    {
        using var scope = NewDisposeScope();
        var replay = new CounterfactualReplay(trajectory, Gradients(source, rho, seed));
        return [.. replay.Run(counterfactuals, null, default).Select(theta => theta.ToArray<double>())];
    }

    /// <summary>The source of that name; the share counts where it draws one.</summary>
    public static GradientSource Source(string name, double rho) => GradientSource.Of(name, name == "sampled" ? rho : null);

    public static CounterfactualGradients Gradients(string source, double rho, long seed = 1) =>
        CounterfactualGradients.From(Source(source, rho), seed);

    public static double[] ReplayWithout(RetrainableTrajectory trajectory, string source, int stage, double rho = 0.5) =>
        Replay(trajectory, source, Counterfactual.WithoutStage(trajectory.Programs[stage].Name, stage), rho);

    /// <summary>||estimated - true|| over the length of the true change.</summary>
    public static double Error(RetrainableTrajectory trajectory, double[] found, double[] truth)
    {
        double[] Change(double[] state) => [.. trajectory.Final().Zip(state, (observed, other) => observed - other)];
        return Vectors.RelativeDistance(Change(truth), Change(found));
    }
}
