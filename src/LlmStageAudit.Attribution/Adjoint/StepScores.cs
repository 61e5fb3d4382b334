using LlmStageAudit.Attribution.Resuming;

namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>Step scores among the numbers a walk is gone on with by.</summary>
internal static class StepScores
{
    public static void Put(WalkState state, string name, IReadOnlyList<StepScore> scores)
    {
        state.Put(name + ".stages", [.. scores.Select(score => (double)score.StageIndex)]);
        state.Put(name + ".steps", [.. scores.Select(score => (double)score.StageStep)]);
        state.Put(name + ".effects", [.. scores.Select(score => score.Effect)]);
        state.Put(name + ".batches", [.. scores.Select(score => score.BatchEffect)]);
        foreach (var (i, score) in scores.Index())
        {
            if (score.ExampleEffects is { } examples) state.Put(Examples(name, i), [.. examples]);
        }
    }

    public static IEnumerable<StepScore> Take(WalkState state, string name)
    {
        var stages = state.Numbers(name + ".stages");
        var steps = state.Numbers(name + ".steps", stages.Length);
        var effects = state.Numbers(name + ".effects", stages.Length);
        var batches = state.Numbers(name + ".batches", stages.Length);
        return stages.Select((stage, i) => new StepScore(
            (int)stage, (int)steps[i], effects[i], batches[i], state.Has(Examples(name, i)) ? state.Numbers(Examples(name, i)) : null));
    }

    private static string Examples(string name, int i) => $"{name}.examples-{i}";
}
