using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Comparisons;

namespace LlmStageAudit.Benchmarks.Comments;

/// <summary>What the benchmark files: what was trained and asked, a table per optimizer, and whether the goals were met.</summary>
internal static class CommentsReport
{
    public static void Write(IReadOnlyList<CommentFigures> figures)
    {
        string[] stages = [.. figures[0].Estimators[0].Effects.Select(static effect => effect.Stage)];
        var file = new ResultFile("comments", "Effects of stages of LoRA fine-tuning on real comments")
            .Paragraph(CommentWorkspace.Description)
            .Paragraph(
                $"Three jobs of 500 tweets each by the group they are aimed at ({string.Join(", ", stages)}), batches of "
                    + $"{CommentWorkspace.BatchSize}, {CommentsBenchmark.Epochs} epoch: 30 steps. The performance function is the "
                    + $"log-likelihood of the label of each of {CommentWorkspace.ProbeTweets} other tweets. After [AA], tables 2 and 5. "
                    + "Measured is exact replay, whose bits are those of retraining.")
            .Paragraph(
                $"Each cell is the mean over two seeds (both); {CommentsBenchmark.Costliest} was asked about one run only. Per job left "
                    + "out: Pearson's correlation over the tweets, estimated with measured effect; then Spearman's, and the relative error "
                    + "||estimated - measured|| / ||measured||. Nothing runs after the last job, so that replay has nothing to estimate "
                    + "there and is right to the bit; first-order methods still read the effect off a gradient. Averages are over all "
                    + "three. Cost in trainings of the whole run, by counted gradients; and as measured, in seconds over the training's "
                    + "seconds, on a machine that did other work beside it: exact replay, one training by count, shows how "
                    + "much that disturbs.");
        foreach (var optimizer in figures.GroupBy(static one => one.Optimizer))
        {
            CommentFigures[] runs = [.. optimizer];
            file.Section($"{optimizer.Key}")
                .Paragraph($"Training took {string.Join(" and ", runs.Select(static run => run.TrainingSeconds.Shown("F1")))} s.")
                .Table(["Pearson", .. stages, "Average"], Rows(runs, stages, static effect => effect.Pearson, static all => all.Pearson))
                .Table(
                    ["Spearman", .. stages, "Average"],
                    Rows(runs, stages, static effect => effect.Spearman, static all => all.Spearman))
                .Table(
                    ["Relative error", .. stages, "Average"],
                    Rows(runs, stages, static effect => effect.RelativeError, static all => all.RelativeError))
                .Table(["Cost", "Trainings", "Seconds", "Of the training's seconds"], Costs(runs));
        }

        file.Section("Goals")
            .Paragraph(Goal(figures, "replay-midpoint", 0.999))
            .Paragraph(Goal(figures, "replay-linear", 0.97))
            .Write($"libtorch {TorchEngine.Version}, threads: {get_num_threads()}");
    }

    private static IEnumerable<string[]> Rows(
        CommentFigures[] runs, string[] stages, Func<ComparedEffect, double?> figure, Func<ComparedEstimator, double> average)
    {
        return Estimators(runs).Select(row => (string[])
        [
            $"{row[0].Estimator}",
            .. stages.Select((_, stage) => Both(row.Select(one => At(one, stage)), "F4")),
            Both(row.Select(average), "F4"),
        ]);

        double At(ComparedEstimator one, int stage) => stage < one.Effects.Count ? figure(one.Effects[stage])!.Value : double.NaN;
    }

    private static IEnumerable<string[]> Costs(CommentFigures[] runs) => Estimators(runs).Select(row => (string[])
    [
        $"{row[0].Estimator}",
        row[0].Trainings.Shown("F2"),
        Both(row.Select(static one => one.Seconds), "F1"),
        Both(row.Zip(runs, static (one, run) => one.Seconds / run.TrainingSeconds), "F2"),
    ]);

    /// <summary>Per estimator its results on the runs it was asked about, of which the first is always one.</summary>
    private static IEnumerable<ComparedEstimator[]> Estimators(CommentFigures[] runs) =>
        runs[0].Estimators.Select(first =>
            runs.SelectMany(run => run.Estimators.Where(one => one.Estimator == first.Estimator)).ToArray());

    private static string Both(IEnumerable<double> values, string format)
    {
        double[] all = [.. values];
        if (all.Length == 1) return Cell(all[0], format);
        return $"{Cell(all.Average(), format)} ({string.Join(", ", all.Select(value => Cell(value, format)))})";
    }

    private static string Cell(double value, string format) => double.IsNaN(value) ? "-" : value.Shown(format);

    private static string Goal(IReadOnlyList<CommentFigures> figures, string estimator, double goal)
    {
        var least = figures.SelectMany(run => run.Estimators.Single(one => one.Estimator == Estimator.Parse(estimator)).Effects)
            .Min(static effect => effect.Pearson!.Value);
        return $"{estimator}: Pearson of at least {goal.Shown("0.###")} for every optimizer, seed and job left out; the least was "
            + $"{least.Shown("F5")}: {(least >= goal ? "met" : "not met")}.";
    }
}
