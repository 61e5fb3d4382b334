using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Modeling.Examples;

/// <summary>What a person would raise a hand at in the examples of a stage or of a probe.</summary>
public static class ExampleWarnings
{
    /// <summary>A class with a smaller share is as good as absent.</summary>
    private const double LeastShare = 0.01;

    /// <summary>Whether the classes are all there, and not nearly one only; null: nothing to say.</summary>
    /// <param name="where">The stage or probe, to begin the message with.</param>
    /// <param name="examples">Of a classifier, not empty.</param>
    /// <param name="classes">How many the model tells apart.</param>
    public static Warning? OfLabels(string where, IReadOnlyList<EncodedExample> examples, int classes)
    {
        if (classes < 2) return null;
        var counts = new int[classes];
        foreach (var example in examples) counts[example.Label]++;
        var (most, least) = (Array.IndexOf(counts, counts.Max()), Array.IndexOf(counts, counts.Min()));
        if (counts[most] == examples.Count)
            return new Warning("one-class", $"{where}: all {examples.Count} examples have label {most}; is the label's condition what is meant?");
        return counts[least] < LeastShare * examples.Count
            ? new Warning("label-imbalance", $"{where}: {counts[least]} of {examples.Count} examples have label {least}")
            : null;
    }
}
