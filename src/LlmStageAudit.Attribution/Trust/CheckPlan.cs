using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// Which steps of a stage are spot-checked, and how many steps each of them speaks for. The first step of a job is always one:
/// a fresh AdamW moves farthest on the least gradient there. The others divide the rest evenly.
/// </summary>
internal static class CheckPlan
{
    public const int PerStage = 3;

    /// <summary>The share of a stage's steps that is checked at most.</summary>
    private const int OneIn = 4;

    /// <summary>The steps a check at this step speaks for; 0: it is not checked.</summary>
    public static int StepsSpokenFor(StageProgram program, int stageStep)
    {
        var total = program.Steps.Count;
        var checks = Math.Clamp(total / OneIn, 1, PerStage);
        if (checks == 1) return stageStep == 1 ? total : 0;
        var head = Math.Max(1, total / 10);
        if (stageStep == 1) return head;
        for (var part = 0; part < checks - 1; part++)
        {
            var (from, to) = (head + (part * (total - head) / (checks - 1)), head + ((part + 1) * (total - head) / (checks - 1)));
            if (stageStep == 1 + ((from + to) / 2)) return to - from;
        }

        return 0;
    }
}
