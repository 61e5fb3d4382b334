using System.Globalization;
using LlmStageAudit.Attribution;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>Reads sets of steps, numbered from 1 through the whole run: "3,10-12".</summary>
internal static class StepSet
{
    /// <summary>The number within the run, from 1, of a stage's first step.</summary>
    public static int FirstStep(IReadOnlyList<StageProgram> programs, int stage) =>
        1 + programs.Take(stage).Sum(program => program.Steps.Count);

    /// <summary>The run without the steps of a set such as "3,10-12", numbered within the run from 1.</summary>
    /// <exception cref="AttributionException">Not such a set, or outside the run.</exception>
    public static Counterfactual Parse(string text, IReadOnlyList<StageProgram> programs)
    {
        var total = programs.Sum(program => program.Steps.Count);
        var skipped = new Dictionary<int, HashSet<int>>();
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            if (ends.Length > 2
                    || !TryParse(ends[0], out var from) || !TryParse(ends[^1], out var to)
                    || from < 1 || to < from || to > total)
                throw AttributionException.BadSteps(text, total);
            for (var step = from; step <= to; step++)
            {
                var stage = StageOf(programs, step);
                if (!skipped.TryGetValue(stage, out var steps)) skipped[stage] = steps = [];
                steps.Add(step - FirstStep(programs, stage) + 1);
            }
        }

        var single = !text.Contains(',') && !text.Contains('-');
        return new Counterfactual(
            $"{(single ? "step" : "steps")} {text}", skipped.ToDictionary(pair => pair.Key, pair => (IReadOnlySet<int>?)pair.Value));
    }

    /// <summary>The first and the last step left out; null for whole stages.</summary>
    public static (int First, int Last)? Ends(Counterfactual question, IReadOnlyList<StageProgram> programs)
    {
        if (question.Skipped.Values.Any(steps => steps is null)) return null;
        var steps = question.Skipped.SelectMany(pair => pair.Value!.Select(step => FirstStep(programs, pair.Key) + step - 1)).ToArray();
        return (steps.Min(), steps.Max());
    }

    private static int StageOf(IReadOnlyList<StageProgram> programs, int step)
    {
        var stage = 0;
        while (step > programs[stage].Steps.Count) step -= programs[stage++].Steps.Count;
        return stage;
    }

    private static bool TryParse(string text, out int value) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
