using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;

namespace LlmStageAudit.Training.Runs;

/// <summary>What a person would raise a hand at in a run: none of it stops the training.</summary>
internal static class RunWarnings
{
    /// <summary>Losses that grew by less are noise.</summary>
    private const double LeastGrowthNats = 0.1;

    /// <summary>With fewer steps the ends of a stage are single batches.</summary>
    private const int LeastSteps = 8;

    /// <summary>What is known before the first step.</summary>
    /// <param name="materials">Model and data.</param>
    /// <param name="start">What is to be said of the model was said where the run began, of whose state another may depart.</param>
    public static IEnumerable<Warning> Of(RunMaterials materials, RunStart start)
    {
        foreach (var warning in start.Kind == RunStartKind.Initial ? materials.Model.Warnings : []) yield return warning;
        var seen = new Dictionary<(int, ulong), string>();
        foreach (var (section, set, program) in materials.Configuration.Stages.Zip(materials.ExampleSets, materials.Programs))
        {
            var where = $"stage '{section.Name}'";
            if (program.Steps.All(step => step.LearningRate == 0))
                yield return new Warning("stage-never-moves", $"{where}: the learning rate of every step is 0, so that it changes nothing");
            int? classes = materials.Model.Task == ModelTask.SequenceClassification ? materials.Model.Labels : null;
            foreach (var warning in ExampleWarnings.Of(where, section.Dataset, set, classes)) yield return warning;
            var content = ContentOf(set.Examples);
            if (!seen.TryAdd(content, section.Name))
                yield return new Warning("same-data", $"{where}: its examples are those of stage '{seen[content]}'");
        }
    }

    /// <summary>What the losses of a stage say, in nats, one per step; null: nothing.</summary>
    public static Warning? Of(string stage, IReadOnlyList<double> losses)
    {
        if (losses.Count < LeastSteps) return null;
        var quarter = losses.Count / 4;
        var (first, last) = (losses.Take(quarter).Average(), losses.TakeLast(quarter).Average());
        return last > (1.5 * first) && last > first + LeastGrowthNats
            ? new Warning(
                "diverged",
                FormattableString.Invariant(
                    $"stage '{stage}': the mean loss grew from {first:0.###} nats in its first quarter to {last:0.###} in its last"))
            : null;
    }

    /// <summary>The same for the same examples, whatever their order and names.</summary>
    private static (int Count, ulong Sum) ContentOf(IReadOnlyList<EncodedExample> examples) =>
        (examples.Count, examples.Aggregate(0UL, static (sum, example) =>
            unchecked(sum + (example.TokenHash * (ulong)((2 * example.Label) + 5)) + (ulong)example.PromptTokens)));
}
