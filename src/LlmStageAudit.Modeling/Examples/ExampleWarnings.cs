using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Examples;

/// <summary>What a person would raise a hand at in the examples of a stage or of a probe.</summary>
public static class ExampleWarnings
{
    /// <summary>A class with a smaller share is as good as absent.</summary>
    private const double LeastShare = 0.01;

    /// <summary>All that is to be said of the examples, what was seen as they were read included.</summary>
    /// <param name="where">The stage or probe, to begin messages with.</param>
    /// <param name="section">What selects them.</param>
    /// <param name="set">The examples, at least one.</param>
    /// <param name="classes">How many a classifier tells apart; null where the model is none.</param>
    public static IEnumerable<Warning> Of(string where, DatasetSection section, ExampleSet set, int? classes)
    {
        foreach (var warning in set.Warnings) yield return warning with { Message = $"{where}: {warning.Message}" };
        if ((section.Limit ?? section.Sample) is { } wanted && set.Examples.Count < wanted)
        {
            var key = section.Limit is null ? "sample" : "limit";
            yield return new Warning("limit-not-reached", $"{where}: {set.Examples.Count} rows of the {wanted} that {key} asks for");
        }

        if (classes >= 2 && OfLabels(where, set, classes.Value) is { } labels) yield return labels;
    }

    // Whether the classes are all there, and not nearly one only; null: nothing to say.
    private static Warning? OfLabels(string where, ExampleSet set, int classes)
    {
        var counts = new int[classes];
        foreach (var example in set.Examples) counts[example.Label]++;
        var (most, least) = (Array.IndexOf(counts, counts.Max()), Array.IndexOf(counts, counts.Min()));
        if (counts[most] == set.Examples.Count)
        {
            var remark = set.LabelRemark is { } why ? $", {why}" : "";
            return new Warning("one-class", $"{where}: all {set.Examples.Count} examples have label {most}{remark}");
        }

        return counts[least] < LeastShare * set.Examples.Count
            ? new Warning("label-imbalance", $"{where}: {counts[least]} of {set.Examples.Count} examples have label {least}")
            : null;
    }
}
