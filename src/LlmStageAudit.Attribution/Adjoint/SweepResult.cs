using LlmStageAudit.Attribution.Resuming;

namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>What one backward sweep says about one probe.</summary>
/// <param name="Steps">Every step of the run, from the first.</param>
/// <param name="Blocks">The score of any set of consecutive steps; null where not asked for.</param>
/// <param name="StageEffects">Per stage the block score of all its steps.</param>
public sealed record SweepResult(IReadOnlyList<StepScore> Steps, IReadOnlyList<double> StageEffects, BlockTable? Blocks);

/// <summary>What one step did to a probe, to first order. Positive: it raised gamma.</summary>
/// <param name="StageIndex">The stage's place in the run.</param>
/// <param name="StageStep">1-based within the stage.</param>
/// <param name="Effect">Of the update as a whole: lambda_t . (s_t - s_{t-1}), against skipping the step.</param>
/// <param name="BatchEffect">Of the batch's gradient: q_t . g_t, against a step with gradient 0, momentum and decay going on.</param>
/// <param name="ExampleEffects">Each example's part of the batch effect, in batch order; null where not asked for.</param>
public sealed record StepScore(int StageIndex, int StageStep, double Effect, double BatchEffect, IReadOnlyList<double>? ExampleEffects);

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
