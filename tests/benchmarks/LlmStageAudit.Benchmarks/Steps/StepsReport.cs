using LlmStageAudit.Benchmarks.Comments;

namespace LlmStageAudit.Benchmarks.Steps;

/// <summary>What the benchmark files.</summary>
internal static class StepsReport
{
    private const double SpearmanGoal = 0.98;

    public static void Write(
        IReadOnlyList<StepFinding> sampled,
        IReadOnlyList<StepFinding> planted,
        IReadOnlyList<StepFinding> repeated,
        IReadOnlyList<SweepCost> costs)
    {
        const double costGoal = 3;
        var ratio = costs.Select(static cost => cost.Ratio).Median();
        new ResultFile("steps", "Scores of single steps of LoRA fine-tuning on real comments")
            .Paragraph(CommentWorkspace.Description)
            .Paragraph(
                "The effect of a step is what skipping its update does to the mean log-likelihood of the label of "
                    + $"{CommentWorkspace.ProbeTweets} other tweets; the schedule goes on and the optimizer's state stands still over a "
                    + "skipped step. One adjoint sweep scores all steps; the quadratic readout also carries "
                    + "the probe's bend along the run through it. True skips are exact replays: training again without the step, to "
                    + "the bit.")
            .Section("Against true skips")
            .Paragraph(
                $"Three jobs of 500 tweets, batches of {CommentWorkspace.BatchSize}, one epoch: 30 steps, of which {StepsBenchmark.Sample} "
                    + "drawn at random were skipped, each by itself. AdamW with weight decay 0.01, SGD with momentum 0.9 and weight decay "
                    + "1e-5. The epsilon floor is the least eps of AdamW's tangent.")
            .Table(["Run", "Effects", "Spearman", "Pearson", "Relative error", "Trainings"], sampled.Select(static one => Row(one)))
            .Paragraph($"Goal: Spearman of at least {SpearmanGoal.Shown("0.##")}, linear readout without a floor: {Met(sampled, Linear)}; "
                + $"quadratic readout: {Met(sampled, Quadratic)}.")
            .Section("Planted steps")
            .Paragraph(
                $"One job of {FlippedLabels.Batches} batches of {CommentWorkspace.BatchSize} tweets in fixed order; in "
                    + $"{FlippedLabels.FlippedBatches} of them, drawn at random, every label is wrong. AUC: the chance that a planted step "
                    + $"scores below another one. All {FlippedLabels.Batches} steps were truly skipped, each by itself.")
            .Table(
                ["Run", "Effects", "AUC", "Spearman", "Pearson", "Relative error", "Trainings"],
                planted.Concat(repeated).Select(static one => (string[])[.. Row(one)[..2], one.PlantedArea.Shown("F3"), .. Row(one)[2..]]))
            .Paragraph(
                $"The same goal, linear readout: {Met([.. planted, .. repeated], Linear)}; quadratic readout: "
                    + $"{Met([.. planted, .. repeated], Quadratic)}. Under SGD the effects on the two classes nearly cancel in the probe's "
                    + "mean, so that what a linear readout leaves out, the bend of the log-likelihood, is as large as what remains.")
            .Section("Cost")
            .Paragraph(
                $"One job of {StepsBenchmark.LongSteps} steps (AdamW 1e-4, batches of {StepsBenchmark.LongBatch}), {costs.Count} times: "
                    + $"training with its log, then one sweep that scores all {StepsBenchmark.LongSteps} steps. Skipping each by "
                    + $"retraining would cost about {StepsBenchmark.LongSteps / 2} trainings, since on average half the run "
                    + "follows a step.")
            .Table(
                ["Time", "Training, s", "Sweep, s", "Sweep in trainings, measured", "Sweep in trainings, by counted gradients"],
                costs.Select(static (cost, i) => (string[])
                [
                    $"{i + 1}", cost.TrainingSeconds.Shown("F1"), cost.SweepSeconds.Shown("F1"), cost.Ratio.Shown("F2"),
                    (cost.GradientEquivalents / StepsBenchmark.LongSteps).Shown("F2"),
                ]))
            .Paragraph(
                $"Goal: at most {costGoal.Shown("0")} trainings; median {ratio.Shown("F2")}: {(ratio <= costGoal ? "met" : "not met")}.")
            .Write($"libtorch {TorchEngine.Version}, threads: {get_num_threads()}");
    }

    private static bool Linear(StepFinding one) => one.Sweep.EndsWith(" 0", StringComparison.Ordinal);

    private static bool Quadratic(StepFinding one) => one.Sweep == StepsBenchmark.QuadraticSweep;

    private static string Met(IReadOnlyList<StepFinding> findings, Func<StepFinding, bool> which) =>
        string.Join(", ", findings.Where(which).Select(one =>
            $"{one.Optimizer} {one.Compared.Spearman.Shown("F4")} ({(one.Compared.Spearman >= SpearmanGoal ? "met" : "not met")})"));

    private static string[] Row(StepFinding one) =>
    [
        one.Optimizer, one.Sweep, one.Compared.Spearman.Shown("F4"), one.Compared.Pearson.Shown("F4"),
        one.Compared.RelativeError.Shown("F4"), one.Compared.Trainings.Shown("F2"),
    ];
}
