using LlmStageAudit.Attribution.Replay;

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
        var ends = replay.Run([.. run.Questions.Select(static question => question.Without)], null, default);
        return [.. ends.Select(end => Effect(run, probe, end))];
    });
}
