using System.Globalization;
using LlmStageAudit.Attribution;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>The retraining that would settle an effect of low trust, as a command, and its cost.</summary>
internal static class ExactReplayOffer
{
    public static TrustEvidence Offer(TrustEvidence evidence, TrainedRun run, Probe probe, Counterfactual question) => evidence with
    {
        Settle = Command(run, probe, question),
        SettleGradientEquivalents = run.Programs
            .Select((program, stage) => program.Steps.Count(step => question.Diverges(stage, step.StageStep))).Sum(),
    };

    private static string Command(TrainedRun run, Probe probe, Counterfactual question)
    {
        var folder = ShellText.Quote(run.Folder.Root);
        if (question.Skipped.Values.All(steps => steps is null))
        {
            string[] stages = [.. question.Skipped.Keys.Order().Select(stage => run.Programs[stage].Name)];
            // A plan of its own, so that settling one effect does not overwrite the plan that settles another.
            var plan = ShellText.Quote($"without-{string.Join('-', stages)}.json");
            var skipped = string.Join(' ', stages.Select(ShellText.Quote));
            return Setting.Command("plan", folder, (Setting.LeavingOut, skipped), (Setting.Output, plan))
                + " && " + Setting.Command("retrain", plan);
        }

        var steps = question.Skipped.SelectMany(pair =>
            (pair.Value ?? run.Programs[pair.Key].Steps.Select(step => step.StageStep))
            .Select(step => StepSet.FirstStep(run.Programs, pair.Key) + step - 1));
        return Setting.Command(
            "attribute", folder,
            (Setting.Probe, ShellText.Quote(probe.Configuration.Path)), (Setting.Treatment, "steps"), (Setting.Steps, Ranges(steps)));
    }

    /// <summary>Steps as <see cref="StepSet"/> reads them: "3,10-12".</summary>
    internal static string Ranges(IEnumerable<int> steps)
    {
        var ranges = new List<(int From, int To)>();
        foreach (var step in steps.Order())
        {
            if (ranges is [.., var (from, to)] && step == to + 1) ranges[^1] = (from, step);
            else ranges.Add((step, step));
        }

        return string.Join(',', ranges.Select(range =>
            string.Create(CultureInfo.InvariantCulture, $"{range.From}{(range.To > range.From ? $"-{range.To}" : "")}")));
    }
}
