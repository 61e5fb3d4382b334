using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Baselines;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Modeling.Objectives;

namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>One row of the table: a way to estimate what leaving something out does to the log-likelihood of each probe digit.</summary>
/// <param name="Estimate">
/// Observed minus counterfactual log-likelihood in nats, one list over the probe's digits for each of the run's questions.
/// </param>
internal sealed record Estimator(string Name, Func<DigitRun, PerceptronObjective, double[][]> Estimate)
{
    private const long SampleSeed = 1;

    public static IReadOnlyList<Estimator> All { get; } =
    [
        Propagated("aa-score", static () => Curvature.Full(), LeftOutSteps.EachAlone),
        Propagated("aa-score layer-wise", Curvature.Layerwise, LeftOutSteps.EachAlone),
        PlainSgd("dvemb", Curvature.OuterProduct),
        PlainSgd("tracin", static () => null),
        Propagated("block adjoint", static () => Curvature.Full(), LeftOutSteps.Together),
        Replay("replay recorded", "recorded"),
        Replay("replay linear", "linear"),
        Replay("replay midpoint", "midpoint"),
        Replay("replay sampled (0.1)", "sampled", 0.1),
        Replay("replay sampled (0.5)", "sampled", 0.5),
        Replay("replay exact", "exact"),
    ];

    /// <summary>Observed minus counterfactual log-likelihoods, from the counterfactual's final parameters.</summary>
    public static double[] Effect(DigitRun run, PerceptronObjective probe, Tensor counterfactual)
    {
        using var observed = run.Trajectory.StateBefore(run.Trajectory.Programs.Count);
        return [.. probe.LogLikelihoods(observed).Zip(probe.LogLikelihoods(counterfactual), static (o, c) => o - c)];
    }

    private static Estimator Replay(string name, string source, double rho = 1) => new(name, (run, probe) =>
    {
        using var scope = NewDisposeScope();
        var replay = new CounterfactualReplay(run.Trajectory, GradientSource.Named(source, rho, SampleSeed));
        var ends = replay.Run(Questions(run), null, default);
        return [.. ends.Select(end => Effect(run, probe, end))];
    });

    private static Estimator Propagated(string name, Func<Curvature> curvature, LeftOutSteps leftOut) => new(name, (run, probe) =>
    {
        var propagation = new ForwardPropagation(run.Trajectory, curvature(), epsilonFloor: 0);
        return Linear(run, probe, propagation.Run(Questions(run), leftOut, null, default));
    });

    private static Estimator PlainSgd(string name, Func<Curvature?> curvature) => new(name, (run, probe) =>
        Linear(run, probe, new PlainSgdPropagation(run.Trajectory, curvature()).Run(Questions(run), null, default)));

    private static Counterfactual[] Questions(DigitRun run) => [.. run.Questions.Select(static question => question.Without)];

    /// <summary>To first order at the final parameters: grad log p(y_i | x_i) . d for each change d of the parameters.</summary>
    private static double[][] Linear(DigitRun run, PerceptronObjective probe, Tensor[] changes)
    {
        using var final = run.Trajectory.StateBefore(run.Trajectory.Programs.Count);
        int[] examples = [.. Enumerable.Range(0, probe.ExampleCount)];
        var derivatives = probe.LossDerivatives(final, examples, changes);
        foreach (var change in changes) change.Dispose();
        return [.. derivatives.Select(static values => Array.ConvertAll(values, static value => -value))];
    }
}
