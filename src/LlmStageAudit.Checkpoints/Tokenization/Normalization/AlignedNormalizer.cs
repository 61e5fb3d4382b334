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
