using LlmStageAudit.Artifacts.Effects;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Auditing.Probes;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>The retraining that would settle an effect of low trust, as a command, and its cost.</summary>
internal static class Settlement
{
    public static TrustEvidence Offer(TrustEvidence evidence, TrainedRun run, Probe probe, Counterfactual question) => evidence with
    {
        Settle = Command(run, probe, question),
        SettleGradientEquivalents = run.Programs.Select((program, stage) => stage < question.FirstStage
            ? 0
            : program.Steps.Count(step => Runs(question, stage, step.StageStep))).Sum(),
    };

    /// <summary>Whether retraining from the first change on makes the step.</summary>
    private static bool Runs(Counterfactual question, int stage, int stageStep) =>
        !question.SkipsStep(stage, stageStep)
        && (stage > question.FirstStage || (question.Skipped[stage] is { } steps && stageStep > steps.Min()));

    private static string Command(TrainedRun run, Probe probe, Counterfactual question)
    {
        var folder = Quoted(run.Folder.Root);
        if (question.Skipped.Values.All(steps => steps is null))
            return $"stageaudit plan {folder} --skip {string.Join(' ', question.Skipped.Keys.Select(stage => Quoted(run.Programs[stage].Name)))} --out plan.json && stageaudit retrain plan.json";
        var steps = question.Skipped.SelectMany(pair => (pair.Value ?? run.Programs[pair.Key].Steps.Select(step => step.StageStep).ToHashSet())
            .Select(step => run.Programs.Take(pair.Key).Sum(program => program.Steps.Count) + step)).Order();
        return $"stageaudit attribute {folder} --probe {Quoted(probe.Configuration.Path)} --treatment steps --steps {string.Join(',', steps)}";
    }

    /// <summary>As a shell takes it for one word.</summary>
    private static string Quoted(string word) =>
        word.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '/' or '\\' or ':') ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
