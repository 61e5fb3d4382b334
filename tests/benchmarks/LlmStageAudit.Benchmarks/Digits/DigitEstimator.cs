using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>One row of the table: a way to estimate what leaving something out does to the log-likelihood of each probe digit.</summary>
/// <param name="Name">As the table says it.</param>
/// <param name="Spelling">As <see cref="Estimator.Parse"/> reads it.</param>
internal sealed record DigitEstimator(string Name, string Spelling)
{
    private const long SampleSeed = 1;

    public static IReadOnlyList<DigitEstimator> All { get; } =
    [
        new("aa-score", "aa-score"),
        new("aa-score layer-wise", "aa-score-layer-wise"),
        new("dvemb", "dvemb"),
        new("tracin", "tracin"),
        new("block adjoint", "adjoint"),
        new("replay recorded", "recorded"),
        new("replay linear", "linear"),
        new("replay midpoint", "midpoint"),
        new("replay sampled (0.1)", "sampled-0.1"),
        new("replay sampled (0.5)", "sampled-0.5"),
        new("replay exact", "exact"),
    ];

    /// <summary>Observed minus counterfactual log-likelihoods in nats, from the counterfactual's final parameters.</summary>
    public static double[] Effect(DigitRun run, PerceptronObjective probe, Tensor counterfactual)
    {
        using var observed = run.Trajectory.StateBefore(run.Trajectory.Programs.Count);
        return [.. probe.LogLikelihoods(observed).Zip(probe.LogLikelihoods(counterfactual), static (o, c) => o - c)];
    }

    /// <summary>The same, estimated: one list over the probe's digits for each of the run's questions.</summary>
    public double[][] Estimate(DigitRun run, PerceptronObjective probe)
    {
        using var scope = NewDisposeScope();
        var estimator = Estimator.Parse(Spelling);
        var found = Estimation.Run(
            run.Trajectory, estimator, SampleSeed, [.. run.Questions.Select(static question => question.Without)], null, default);
        if (!estimator.IsLinear) return [.. found.Counterfactuals.Select(end => Effect(run, probe, end))];

        // To first order at the final parameters: grad log p(y_i | x_i) . d.
        var final = run.Trajectory.StateBefore(run.Trajectory.Programs.Count);
        var derivatives = probe.LossDerivatives(final, [.. Enumerable.Range(0, probe.ExampleCount)], found.Changes);
        return [.. derivatives.Select(static values => Array.ConvertAll(values, static value => -value))];
    }
}
