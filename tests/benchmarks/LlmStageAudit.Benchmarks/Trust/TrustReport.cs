using LlmStageAudit.Attribution.Trust;

namespace LlmStageAudit.Benchmarks.Trust;

/// <summary>What the calibration files: how grades keep their promise, and how what was foretold compares with what came out.</summary>
internal static class TrustReport
{
    public static void Write(IReadOnlyCollection<CheckedEffect> effects)
    {
        CheckedEffect[] questions = [.. effects.Where(static effect => effect.Source != TrustBenchmark.StepScores)];
        CheckedEffect[] sweeps = [.. effects.Where(static effect => effect.Source == TrustBenchmark.StepScores)];
        var seeds = CalibrationSetting.All.Select(static setting => setting.Seed).Distinct().Count();
        new ResultFile("trust", "The grades of trust against retraining")
            .Paragraph(
                $"GPT-NeoX classifiers of {CalibrationRun.Layers} layers and {CalibrationRun.Hidden} dimensions with random weights, "
                    + $"fine-tuned through LoRA in {CalibrationRun.StageCount} jobs of {CalibrationRun.StepsPerStage} steps (batches of "
                    + $"{CalibrationRun.BatchSize}) on rows of random tokens; {CalibrationRun.ProbeExamples} probe examples, "
                    + "log-likelihood of the label. "
                    + $"{string.Join(", ", CalibrationSetting.All.Select(static setting => setting.Name).Distinct())}; {seeds} seeds each, "
                    + "none of them among the two that the margins of trust were set on. Left out: each job, eight steps each of two "
                    + "neighbouring jobs, eight of one, a single step. True is exact replay, which is retraining. Effects after which no "
                    + "step comes are not counted for replay, whose state is then the saved one.")
            .Paragraph(
                "The relative error is ||estimated - true|| / ||true|| of the effects on the probe examples. The promise: high within "
                    + $"{TrustGrade.HighUpTo.Shown("0.##")}, medium within {TrustGrade.MediumUpTo.Shown("0.##")}.")
            .Table(
                ["Grade", "Effects", "Median error", "90th percentile", "Worst", "Lowest Pearson", "Within the promise"],
                Grades.Select(grade => GradeRow(grade, questions)))
            .Paragraph("The same for each estimator.")
            .Table(
                ["Estimator", "Grade", "Effects", "Median error", "90th percentile", "Worst", "Lowest Pearson", "Within the promise"],
                questions.GroupBy(static effect => effect.Source).SelectMany(source =>
                    Grades.Select(grade => (string[])[source.Key, .. GradeRow(grade, [.. source])])))
            .Paragraph("Predicted over true error: above 1, more was foretold than came out.")
            .Table(
                ["Estimator", "Optimizer", "Effects", "Least", "25%", "50%", "75%", "Most"],
                questions
                    .GroupBy(static effect => (effect.Source, effect.Setting.Optimizer))
                    .Select(static group => RatioRow(group.Key.Source, group)))
            .Paragraph(
                "The scores of all steps from one adjoint sweep, graded by skipping a few of them: the error of all of a run's step "
                    + "scores on the probe's mean, against skipping each.")
            .Table(
                ["Run", "Grade", "Predicted error", "True error", "Pearson"],
                sweeps.GroupBy(static effect => effect.Setting.Name).Select(static runs => (string[])
                [
                    runs.Key,
                    string.Join(", ", runs.Select(static run => run.Grade)),
                    Joined(runs, static run => run.PredictedError, "F3"),
                    Joined(runs, static run => run.TrueError, "F3"),
                    Joined(runs, static run => run.Pearson, "F4"),
                ]))
            .Table(
                ["Grade of a sweep", "Sweeps", "Median error", "90th percentile", "Worst", "Lowest Pearson", "Within the promise"],
                Grades.Select(grade => GradeRow(grade, sweeps)))
            .Paragraph(
                "What remains: three checks a job see a few batches, so a prediction may be too low, now and then by a factor of three; "
                    + "far too low only where errors at different checks happen to cancel (midpoint, whose errors are smallest). Errors "
                    + "are taken to stay as they are through later steps, so where training forgets them more is foretold than comes out, "
                    + "several times as much at the higher rates, and good estimates are graded low. Sweeps are few here, and their scores "
                    + "may order steps well (see Pearson) where their sizes earn no better grade.")
            .Write($"libtorch {TorchEngine.Version}");
    }

    private static IReadOnlyList<string> Grades { get; } = [TrustGrade.High, TrustGrade.Medium, TrustGrade.Low];

    private static string[] GradeRow(string grade, IReadOnlyCollection<CheckedEffect> effects)
    {
        CheckedEffect[] graded = [.. effects.Where(effect => effect.Grade == grade)];
        if (graded.Length == 0) return [grade, "0", "", "", "", "", ""];
        double[] errors = [.. graded.Select(static effect => effect.TrueError)];
        var promise = grade switch
        {
            TrustGrade.High => TrustGrade.HighUpTo,
            TrustGrade.Medium => TrustGrade.MediumUpTo,
            _ => double.PositiveInfinity,
        };
        return
        [
            grade,
            graded.Length.ToString("0", System.Globalization.CultureInfo.InvariantCulture),
            errors.Quantile(0.5).Shown("F3"),
            errors.Quantile(0.9).Shown("F3"),
            errors.Max().Shown("F3"),
            graded.Min(static effect => effect.Pearson).Shown("F4"),
            double.IsFinite(promise) ? (errors.Count(error => error <= promise) / (double)errors.Length).Shown("P0") : "",
        ];
    }

    private static string[] RatioRow(string source, IEnumerable<CheckedEffect> effects)
    {
        CheckedEffect[] all = [.. effects];
        double[] ratios =
            [.. all.Where(static effect => effect.TrueError > 0).Select(static effect => effect.PredictedError / effect.TrueError)];
        return
        [
            source,
            all[0].Setting.OptimizerShown,
            ratios.Length.ToString("0", System.Globalization.CultureInfo.InvariantCulture),
            .. new[] { 0, 0.25, 0.5, 0.75, 1 }.Select(share => ratios.Quantile(share).Shown("G3")),
        ];
    }

    private static string Joined(IEnumerable<CheckedEffect> runs, Func<CheckedEffect, double> figure, string format) =>
        string.Join(", ", runs.Select(run => figure(run).Shown(format)));

    /// <summary>Linear interpolation between order statistics.</summary>
    private static double Quantile(this double[] values, double share)
    {
        double[] sorted = [.. values.Order()];
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        return sorted[below] + ((place - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]));
    }
}
