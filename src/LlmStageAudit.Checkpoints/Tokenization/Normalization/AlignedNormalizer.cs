using LlmStageAudit.Checkpoints.Tokenization.Text;
using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>The first step of encoding: well-formed text to well-formed text.</summary>
internal abstract class AlignedNormalizer : Normalizer
{
    public abstract string Apply(string text);

    /// <summary>
    /// For each UTF-16 unit of the normalized text the part of <paramref name="text"/> it comes from, by the rules of Hugging Face's
    /// tokenizers: of characters that become one, the first counts; a character that is put in shares the part of the one before it.
    /// </summary>
    public abstract IEnumerable<(int Start, int End)> Origins(string text);

    public sealed override string Normalize(string original) => Apply(WellFormedText.Of(original));

    public sealed override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
}

/// <summary>One normalizer after the other.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<AlignedNormalizer> steps) : AlignedNormalizer
{
    public override string Apply(string text) => steps.Aggregate(text, static (current, step) => step.Apply(current));

    public override IEnumerable<(int Start, int End)> Origins(string text)
    {
        var normalized = steps.Aggregate(new AlignedText(text, tracks: true), static (current, step) =>
            current.Rewritten(0, current.Text.Length, step.Apply(current.Text), step.Origins));
        for (var unit = 0; unit < normalized.Text.Length; unit++) yield return normalized.Origin(unit, unit + 1);
    }
}

/// <summary>Puts a prefix before text that is not empty.</summary>
internal sealed class Prepend(string prefix) : AlignedNormalizer
{
    public override string Apply(string text) => text.Length == 0 ? text : prefix + text;

    /// <summary>The prefix comes from the first character.</summary>
    public override IEnumerable<(int Start, int End)> Origins(string text) => text.Length == 0
        ? []
        : Enumerable.Repeat((0, AlignedText.WidthAt(text, 0)), prefix.Length).Concat(AlignedText.Unchanged(text, 0, text.Length));
}
