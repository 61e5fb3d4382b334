using System.Globalization;
using System.Text;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;
using MathNet.Numerics.Distributions;

namespace LlmStageAudit.Benchmarks.Trust;

/// <summary>What the calibration files: the margins and what they rest on, and how grades keep their promise on other runs.</summary>
internal static class TrustReport
{
    /// <summary>How many of a grade may be further off than it promises.</summary>
    private static readonly (TrustGrade Grade, double Promise, double Allowed)[] s_promises =
        [(TrustGrade.High, TrustPromise.HighUpTo, 0.02), (TrustGrade.Medium, TrustPromise.MediumUpTo, 0.05)];

    /// <summary>Margins are set where the calibration keeps this part of what is allowed.</summary>
    private const double Kept = 0.5;

    public static void Write(IReadOnlyCollection<CheckedEffect> effects, int runs)
    {
        CheckedEffect[] calibration = [.. effects.Where(static effect => !effect.Setting.IsHeldOut)];
        CheckedEffect[] heldOut = [.. effects.Where(static effect => effect.Setting.IsHeldOut)];
        var pairs = calibration.Where(IsOfStage).Select(effect => (effect.Setting, effect.Question)).Distinct().Count();
        WriteRows(effects);
        new ResultFile("trust", "The grades of trust against retraining")
            .Paragraph(
                $"{runs} runs to calibrate on and {runs} others to test, each drawn at random: GPT-NeoX or Llama of 1 or 2 layers from "
                    + "random weights (24 or 32 dimensions; in the test 16 or 40), as a classifier or predicting tokens; LoRA of rank 2, 4 or "
                    + "8, or all parameters; SGD, with or without momentum, at rates from 0.0003 to 0.06, or AdamW from 0.00003 to 0.006; with "
                    + "or without weight decay and clipping; constant, linear or cosine schedules with 0, 1, 2 or 4 steps of warm-up, the "
                    + $"first of rate 0; three stages of 1 to 24 steps each. {CalibrationRun.ProbeExamples} probe examples, log-likelihood. "
                    + "Left out: each stage, and a block of steps. True is exact replay, which is retraining. What is exact by itself (no "
                    + $"step comes after it, or an exact replay settled it) is not counted. {pairs} pairs of run and stage to calibrate on; "
                    + "every effect is a row of [trust-effects.csv](trust-effects.csv).")
            .Paragraph(
                "The relative error is ||estimated - true|| / ||true|| over probe examples. High promises "
                    + $"{TrustPromise.HighUpTo.Shown("0.##")}, medium {TrustPromise.MediumUpTo.Shown("0.##")}; in the test at most "
                    + $"{s_promises[0].Allowed.Shown("P0")} of the one and {s_promises[1].Allowed.Shown("P0")} of the other may be further off.")
            .Section("The test: other runs")
            .Table(Heads("Grade"), Rows(heldOut))
            .Paragraph("The same for each estimator, and for the scores of all steps from one sweep.")
            .Table(
                ["Estimator", .. Heads("Grade")],
                heldOut.GroupBy(static effect => effect.Source).SelectMany(source =>
                    Rows(source).Select(row => (string[])[source.Key, .. row])))
            .Section("The calibration")
            .Paragraph(
                "A grade goes by the margin times the error that checks foretell. The least margin is the smallest, in steps of a "
                    + "twentieth, with which and above which the runs of the calibration keep half of what is allowed; what the code has "
                    + "must not be below.")
            .Table(
                ["Estimator", "Effects", "True over foretold, median", "95%", "98%", "Least margin", "Margin in code"],
                calibration.GroupBy(static effect => effect.Source).Select(MarginRow))
            .Table(
                ["Estimator", .. Heads("Grade")],
                calibration.GroupBy(static effect => effect.Source).SelectMany(source =>
                    Rows(source).Select(row => (string[])[source.Key, .. row])))
            .Write($"libtorch {TorchEngine.Version}");
    }

    private static bool IsOfStage(CheckedEffect effect) => effect.Question.StartsWith("stage", StringComparison.Ordinal);

    private static string[] Heads(string first) =>
        [first, "Effects", "Median error", "95%", "Worst", "Beyond the promise", "At most (95%)"];

    private static string[] Row(TrustGrade grade, IEnumerable<CheckedEffect> effects)
    {
        double[] errors = [.. effects.Where(effect => effect.Grade == grade).Select(static effect => effect.TrueError)];
        if (errors.Length == 0) return [EnumSpelling<TrustGrade>.Of(grade), "0", "", "", "", "", ""];
        var promise = s_promises.Where(one => one.Grade == grade).Select(static one => (double?)one.Promise).FirstOrDefault();
        var beyond = errors.Count(error => !(error <= promise));
        return
        [
            EnumSpelling<TrustGrade>.Of(grade),
            errors.Length.ToString(CultureInfo.InvariantCulture),
            errors.Quantile(0.5).Shown("F3"),
            errors.Quantile(0.95).Shown("F3"),
            errors.Max().Shown("F3"),
            promise is null ? "" : $"{beyond} ({(beyond / (double)errors.Length).Shown("P1")})",
            promise is null ? "" : UpperBound(beyond, errors.Length).Shown("P1"),
        ];
    }

    private static IEnumerable<string[]> Rows(IEnumerable<CheckedEffect> effects) =>
        new[] { TrustGrade.High, TrustGrade.Medium, TrustGrade.Low, TrustGrade.Unknown }.Select(grade => Row(grade, effects));

    /// <summary>Of so many, the share that is exceeded in one case of twenty (Clopper and Pearson, one-sided).</summary>
    private static double UpperBound(int found, int of) => found == of ? 1 : Beta.InvCDF(found + 1, of - found, 0.95);

    private static string[] MarginRow(IGrouping<string, CheckedEffect> source)
    {
        (double Predicted, double True)[] known =
        [
            .. source.Where(static effect => effect.PredictedError is not null)
                .Select(static effect => (effect.PredictedError!.Value, effect.TrueError)),
        ];
        double[] ratios = [.. known.Where(static one => one.True > 0).Select(static one => one.True / one.Predicted)];
        var isOfSteps = source.Key == TrustBenchmark.StepScores;
        var least = Enumerable.Range(1, 2000).Reverse().Select(static step => step / 20.0).TakeWhile(Keeps).DefaultIfEmpty(double.NaN).Last();
        var own = isOfSteps ? TrustCalibration.SweepMargin : TrustCalibration.Margin(Estimator.Parse(source.Key));
        return
        [
            source.Key, known.Length.ToString(CultureInfo.InvariantCulture), ratios.Quantile(0.5).Shown("F2"),
            ratios.Quantile(0.95).Shown("F2"), ratios.Quantile(0.98).Shown("F2"), least.Shown("0.##"), own.Shown("0.##"),
        ];

        bool Keeps(double margin) => s_promises.All(one =>
        {
            // A sweep is medium at most.
            if (isOfSteps && one.Grade == TrustGrade.High) return true;
            var graded = known.Where(effect => (isOfSteps && margin * effect.Predicted <= one.Promise)
                || TrustPromise.Of(margin * effect.Predicted) == one.Grade).ToArray();
            return graded.Count(effect => effect.True > one.Promise) <= Kept * one.Allowed * graded.Length;
        });
    }

    private static void WriteRows(IEnumerable<CheckedEffect> effects)
    {
        var text = new StringBuilder(
            "set,run,model,hidden,layers,task,rank,batch,optimizer,rate,momentum,decay,clip,schedule,warmup,steps,estimator,leftOut,"
            + "movingSteps,checks,foretold,error,grade\n");
        foreach (var effect in effects)
        {
            var (setting, optimizer) = (effect.Setting, effect.Setting.Optimizer);
            object?[] cells =
            [
                setting.IsHeldOut ? "test" : "calibration", setting.Number, setting.Family, setting.Hidden, setting.Layers, setting.Task,
                setting.Rank?.ToString(CultureInfo.InvariantCulture) ?? "all", setting.BatchSize, optimizer.Name, optimizer.LearningRate,
                optimizer.Momentum, optimizer.WeightDecay, optimizer.ClipNorm, setting.Schedule.Name, setting.Schedule.WarmupSteps,
                string.Join('+', setting.Lengths), effect.Source, effect.Question, effect.MovingSteps, effect.Checks,
                effect.PredictedError?.Shown("G4"), effect.TrueError.Shown("G4"), EnumSpelling<TrustGrade>.Of(effect.Grade),
            ];
            text.AppendJoin(',', cells.Select(static cell => Convert.ToString(cell, CultureInfo.InvariantCulture))).Append('\n');
        }

        AtomicFile.WriteText(Path.Combine(Repository.Results, "trust-effects.csv"), text.ToString());
    }

    /// <summary>Linear interpolation between order statistics.</summary>
    private static double Quantile(this double[] values, double share)
    {
        double[] sorted = [.. values.Order()];
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        return sorted[below] + ((place - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]));
    }
}
