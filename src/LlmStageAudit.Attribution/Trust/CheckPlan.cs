using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// Which of the steps a question's counterfactual makes in a stage are spot-checked, and how many steps each check speaks for.
/// The first of them is always one: a fresh AdamW moves farthest on the least gradient there. The others divide the rest evenly.
/// </summary>
internal sealed class CheckPlan
{
    public const int PerStage = 3;

    /// <summary>The share of a stage's steps that is checked at most, beyond the first step and one for the others.</summary>
    private const int OneIn = 4;

    private readonly Dictionary<(int Question, StageProgram Program, int StageStep), int> _spokenFor = [];

    public CheckPlan(IReadOnlyList<Counterfactual> questions, IReadOnlyList<StageProgram> programs)
    {
        foreach (var (question, asked) in questions.Index())
        {
            foreach (var (stage, program) in programs.Index())
            {
                int[] made = [.. program.Steps.Select(step => step.StageStep).Where(stageStep => asked.Diverges(stage, stageStep))];
                for (var i = 0; i < made.Length; i++) _spokenFor[(question, program, made[i])] = StepsSpokenFor(made.Length, i + 1);
            }
        }
    }

    /// <summary>The steps a check of this one speaks for; 0: it is not checked.</summary>
    public int StepsSpokenFor(int question, StageProgram program, int stageStep) =>
        _spokenFor.GetValueOrDefault((question, program, stageStep));

    /// <summary>The same by a step's place, from 1, among all that a counterfactual makes in a stage.</summary>
    public static int StepsSpokenFor(int total, int place)
    {
        if (total == 1) return 1;
        var checks = Math.Clamp(total / OneIn, 2, PerStage);
        var head = Math.Max(1, total / 10);
        if (place == 1) return head;
        for (var part = 0; part < checks - 1; part++)
        {
            var (from, to) = (head + (part * (total - head) / (checks - 1)), head + ((part + 1) * (total - head) / (checks - 1)));
            if (place == 1 + ((from + to) / 2)) return to - from;
        }

        return 0;
    }
}
