using System.Globalization;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>The retraining that would settle an effect of low trust, as a command, and its cost.</summary>
internal static class Settlement
{
    public static TrustEvidence Offer(TrustEvidence evidence, TrainedRun run, Probe probe, Counterfactual question) => evidence with
    {
        Settle = Command(run, probe, question),
        SettleGradientEquivalents = run.Programs
            .Select((program, stage) => program.Steps.Count(step => question.Diverges(stage, step.StageStep))).Sum(),
    };

    private static string Command(TrainedRun run, Probe probe, Counterfactual question)
    {
        var folder = Quoted(run.Folder.Root);
        if (question.Skipped.Values.All(steps => steps is null))
        {
            string[] stages = [.. question.Skipped.Keys.Order().Select(stage => run.Programs[stage].Name)];
            // A plan of its own, so that settling one effect does not overwrite the plan that settles another.
            var plan = Quoted($"without-{string.Join('-', stages)}.json");
            return $"stageaudit plan {folder} --skip {string.Join(' ', stages.Select(Quoted))} --out {plan} && stageaudit retrain {plan}";
        }

        var steps = question.Skipped.SelectMany(pair =>
            (pair.Value ?? run.Programs[pair.Key].Steps.Select(step => step.StageStep))
            .Select(step => StepSet.FirstStep(run.Programs, pair.Key) + step - 1));
        return $"stageaudit attribute {folder} --probe {Quoted(probe.Configuration.Path)} --treatment steps --steps {Ranges(steps)}";
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

    /// <summary>As a shell takes it for one word.</summary>
    private static string Quoted(string word) => word.All(IsPlain) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static bool IsPlain(char character) =>
        char.IsAsciiLetterOrDigit(character) || "-_./:".Contains(character) || character == Path.DirectorySeparatorChar;
}
