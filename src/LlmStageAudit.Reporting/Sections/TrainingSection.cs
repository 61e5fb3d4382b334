using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Reporting.Charts;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>How the run was trained: loss and learning rate per step, settings per stage.</summary>
internal static class TrainingSection
{
    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        var steps = findings.Inputs.Steps;
        if (steps.Count == 0)
        {
            page.Missing(
                "Missing: logged steps. They are in the trajectory log of the run folder; this trains on and logs them:",
                Setting.Command("train", "CONFIG.yaml", (Setting.Output, findings.RunArgument), (Setting.Resuming, "")));
        }
        else
        {
            page.Figure(
                new LossChart("loss", steps, findings.Bands).Render(),
                "Mean loss of each step’s batch before its update, in nats. Every stage is a job of its own: optimizer state and schedule "
                + "start anew.");
        }

        WriteTable(page, findings.Run);
    }

    private static void WriteTable(MarkupWriter page, RunManifest run)
    {
        var results = run.Stages.ToLookup(stage => stage.Name);
        page.Table<(StageSection Stage, StageResult? Result)>(
            "Stages in training order",
            [.. run.Configuration.Stages.Select(stage => (stage, results[stage.Name].FirstOrDefault()))],
            ("Stage", row => new(row.Stage.Name, Source(row.Stage.Dataset))),
            ("#Rows", row => row.Result?.Examples is { } examples ? NumberText.Count(examples) : "–"),
            ("#Epochs", row => NumberText.Count(row.Stage.Epochs)),
            ("#Batch", row => new(NumberText.Count(row.Stage.BatchSize), row.Stage.Shuffle ? "shuffled" : "file order")),
            ("#Steps", row => new(
                row.Result is { Steps: var steps } ? NumberText.Count(steps) : "–", StateOf(run, row.Stage, row.Result))),
            ("Optimizer", row => new(row.Stage.Optimizer.Name == OptimizerName.Sgd ? "SGD" : "AdamW", Settings(row.Stage.Optimizer))),
            ("Learning rate", row => new(NumberText.Setting(row.Stage.Optimizer.LearningRate), Schedule(row.Stage.Schedule))),
            ("#Loss (nats)", row => LossOf(row.Result)),
            ("#Time", row => row.Result is { TrainSeconds: var seconds } ? NumberText.Duration(seconds) : "–"));
        page.Paragraph(
            $"Training took {NumberText.Duration(run.TrainSeconds)}; the trajectory log took {NumberText.Duration(run.LogSeconds)}.",
            "quiet");
    }

    private static string Source(DatasetSection dataset)
    {
        var name = QuestionSection.LastPart(dataset.Path);
        return dataset.Where is { } where ? $"{name}, {where}" : name;
    }

    private static string StateOf(RunManifest run, StageSection stage, StageResult? result) =>
        run.Start.SkippedStages.Contains(stage.Name) ? "left out"
            : result is null ? "no record"
            : EnumSpelling<StageState>.Of(result.State);

    private static string Settings(OptimizerSection optimizer)
    {
        var (beta1, beta2) = (NumberText.Setting(optimizer.Beta1), NumberText.Setting(optimizer.Beta2));
        var rule = optimizer.Name == OptimizerName.Sgd
            ? $"momentum {NumberText.Setting(optimizer.Momentum)}"
            : $"β {beta1} and {beta2}, ε {NumberText.Setting(optimizer.Epsilon)}";
        var clip = optimizer.ClipNorm is { } norm ? ", clip " + NumberText.Setting(norm) : string.Empty;
        return $"{rule}, decay {NumberText.Setting(optimizer.WeightDecay)}{clip}";
    }

    private static TableCell LossOf(StageResult? result)
    {
        if (result is not { LossFirst: { } first, LossLast: { } last }) return "–";
        var mean = result.LossMean is { } value ? "mean " + NumberText.Value(value) : null;
        return new TableCell($"{NumberText.Value(first)} → {NumberText.Value(last)}", mean);
    }

    private static string Schedule(ScheduleSection schedule)
    {
        var warmup = schedule switch
        {
            { WarmupSteps: > 0 and { } steps } => $", {NumberText.Count(steps, "step")} of warm-up",
            { WarmupRatio: > 0 } => $", {NumberText.Percent(schedule.WarmupRatio)} warm-up",
            _ => string.Empty,
        };
        return EnumSpelling<ScheduleName>.Of(schedule.Name) + warmup;
    }
}
