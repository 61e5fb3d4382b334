using LlmStageAudit.Checkpoints.Tokenization.BytePair;
using LlmStageAudit.Checkpoints.Tokenization.Steps;
using LlmStageAudit.Foundation.Files;

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
        var bytes = Enumerable.Range(0, 256).Select(value => ByteAlphabet.CharOf((byte)value).ToString()).Order(StringComparer.Ordinal);
        var ids = new OrderedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var token in (string[])[EndOfText, Padding, .. bytes]) ids.Add(token, ids.Count);
        var merges = new List<string[]>();
        var words = new PairCounter(CountPieces(texts));
        while (ids.Count < vocabularySize && words.MostFrequent() is var (left, right))
        {
            merges.Add([left, right]);
            words.Merge(left, right);

            // Two merges can spell the same token; it has one id.
            ids.TryAdd(left + right, ids.Count);
        }

        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, Content(ids, merges), JsonSection.Readable));
        return ids.Count;
    }

    /// <summary>What a tokenizer.json holds for a byte-level byte-pair vocabulary: NFC, byte-level cut, no template.</summary>
    private static object Content(IReadOnlyDictionary<string, int> ids, IReadOnlyList<string[]> merges)
    {
        object Special(string content) =>
            new { id = ids[content], content, single_word = false, lstrip = false, rstrip = false, normalized = false, special = true };

        var byteLevel = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true };
        return new
        {
            version = "1.0",
            truncation = (object?)null,
            padding = (object?)null,
            added_tokens = new[] { EndOfText, Padding }.Select(Special),
            normalizer = new { type = "NFC" },
            pre_tokenizer = byteLevel,
            post_processor = (object?)null,
            decoder = byteLevel,
            model = new
            {
                type = "BPE",
                dropout = (object?)null,
                unk_token = (object?)null,
                continuing_subword_prefix = (object?)null,
                end_of_word_suffix = (object?)null,
                fuse_unk = false,
                byte_fallback = false,
                ignore_merges = false,
                vocab = ids,
                merges,
            },
        };
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
