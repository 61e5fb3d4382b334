using System.Text;
using LlmStageAudit.Checkpoints.Tokenization.BytePair;
using LlmStageAudit.Checkpoints.Tokenization.Steps;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>
/// Trains a small byte-level byte-pair vocabulary: texts in NFC, cut as GPT-2 cuts them; the pair of adjoining tokens that
/// occurs most often becomes a token, until the vocabulary is full or no pair occurs twice. Of pairs equally frequent the
/// smaller in ordinal order is taken, so the same texts give the same file everywhere. Source: Sennrich, Haddow, Birch 2016.
/// </summary>
public static class BytePairTrainer
{
    /// <summary>Id 0: ends a text.</summary>
    public const string EndOfText = "<|endoftext|>";

    /// <summary>Id 1: fills batches up.</summary>
    public const string Padding = "<|padding|>";

    private const int SmallestSize = 258;

    /// <summary>Writes a tokenizer.json with the steps of Pythia's (NFC, byte level), readable by Hugging Face's tokenizers.</summary>
    /// <param name="texts">Read once.</param>
    /// <param name="vocabularySize">The largest number of tokens: the two special ones, the 256 bytes, then merges.</param>
    /// <param name="path">The file to write; an existing one is replaced.</param>
    /// <returns>The number of tokens: less than asked for where the texts hold no more repeated pairs.</returns>
    public static int Train(IEnumerable<string> texts, int vocabularySize, string path)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, SmallestSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabularySize, JsonSite.IdLimit);
        List<string> tokens = [EndOfText, Padding];
        tokens.AddRange(
            Enumerable.Range(0, 256).Select(value => ByteAlphabet.CharOf((byte)value).ToString()).Order(StringComparer.Ordinal));
        var merges = new List<(string Left, string Right)>();
        var words = new PairCounter(CountPieces(texts));
        while (tokens.Count < vocabularySize && words.MostFrequent() is var (left, right))
        {
            merges.Add((left, right));

            // Two merges can spell the same token; it has one id.
            if (words.Merge(left, right)) tokens.Add(left + right);
        }

        ByteLevelTokenizerWriter.Write(path, tokens, merges, [EndOfText, Padding]);
        return tokens.Count;
    }

    private static Dictionary<string, long> CountPieces(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var normalizer = new UnicodeForm(NormalizationForm.FormC, nameof(BytePairTrainer));
        var cutter = new ByteLevelPreTokenizer(addPrefixSpace: false, cut: true);
        var pieces = new List<AlignedText>();
        foreach (var text in texts)
        {
            pieces.Clear();
            cutter.Cut(new AlignedText(normalizer.Normalize(text), tracks: false), pieces);
            foreach (var piece in pieces) counts[piece.Text] = counts.GetValueOrDefault(piece.Text) + 1;
        }

        return counts;
    }
}
