using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Reporting.Charts;
using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>How the run was trained: loss and learning rate per step, settings per stage.</summary>
internal static class TrainingSection
{
    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        page.OpenSection("training", "How it was trained");
        var steps = findings.Inputs.Steps;
        if (steps.Count == 0)
        {
            page.Paragraph("Missing: logged steps. They are in the trajectory log of the run folder; this trains on and logs them:");
            page.Commands(Setting.Command("train", "CONFIG.yaml", (Setting.Output, findings.RunArgument), (Setting.Resuming, "")));
        }
        else
        {
            var chart = new LossChart
            {
                Id = "loss",
                Points = steps.Select(step => new LossPoint(step.Step, step.LossNats, step.LearningRate)).ToArray(),
                Bands = findings.Bands,
            };
            page.Figure(
                chart.Render(),
                "Mean loss of each step’s batch before its update, in nats. Every stage is a job of its own: optimizer state and schedule "
                + "start anew.");
        }

        WriteTable(page, findings.Run);
        page.Close();
    }

    private static void WriteTable(MarkupWriter page, RunManifest run)
    {
        string[] headings = ["Stage", "#Rows", "#Epochs", "#Batch", "#Steps", "Optimizer", "Learning rate", "#Loss (nats)", "#Time"];
        var results = run.Stages.GroupBy(stage => stage.Name).ToDictionary(group => group.Key, group => group.First());
        var rows = run.Configuration.Stages.Select(stage =>
        {
            var result = results.GetValueOrDefault(stage.Name);
            return new TableCell[]
            {
                new(stage.Name, Source(stage.Dataset)),
                result?.Examples is { } examples ? NumberText.Count(examples) : "–",
                NumberText.Count(stage.Epochs),
                new(NumberText.Count(stage.BatchSize), stage.Shuffle ? "shuffled" : "file order"),
                new(result is null ? "–" : NumberText.Count(result.Steps), StateOf(run, stage, result)),
                new(stage.Optimizer.Name == OptimizerName.Sgd ? "SGD" : "AdamW", Settings(stage.Optimizer)),
                new(NumberText.Setting(stage.Optimizer.LearningRate), Schedule(stage.Schedule)),
                LossOf(result),
                result is null ? "–" : NumberText.Duration(result.TrainSeconds),
            };
        }).ToArray();
        page.Table("Stages in training order", headings, rows);
        page.Paragraph(
            $"Training took {NumberText.Duration(run.TrainSeconds)}; the trajectory log took {NumberText.Duration(run.LogSeconds)}.",
            "quiet");
    }

    private static string Source(DatasetSection dataset)
    {
        var name = dataset.Path[(dataset.Path.LastIndexOfAny(['/', '\\']) + 1)..];
        return dataset.Where is { } where ? $"{name}, {where}" : name;
    }

    private static string StateOf(RunManifest run, StageSection stage, StageResult? result) =>
        run.Start.SkippedStages.Contains(stage.Name) ? "left out"
            : result is null ? "no record"
            : EnumSpelling<StageState>.Of(result.State);

    private static string Settings(OptimizerSection optimizer)
    {
        var settings = new List<string>();
        if (optimizer.Name == OptimizerName.Sgd)
        {
            settings.Add("momentum " + NumberText.Setting(optimizer.Momentum));
        }
        else
        {
            settings.Add($"β {NumberText.Setting(optimizer.Beta1)} and {NumberText.Setting(optimizer.Beta2)}");
            settings.Add("ε " + NumberText.Setting(optimizer.Epsilon));
        }

        settings.Add("decay " + NumberText.Setting(optimizer.WeightDecay));
        if (optimizer.ClipNorm is { } norm) settings.Add("clip " + NumberText.Setting(norm));
        return string.Join(", ", settings);
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
