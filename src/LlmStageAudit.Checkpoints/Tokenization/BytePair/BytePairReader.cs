using System.Text.Json;
using LlmStageAudit.Checkpoints.Tokenization.Files;

namespace LlmStageAudit.Checkpoints.Tokenization.BytePair;

/// <summary>Reads the "model" of tokenizer.json.</summary>
internal static class BytePairReader
{
    public static BytePairModel Read(JsonSite site)
    {
        var type = site.Find("type")?.Text() ?? "BPE";
        if (type != "BPE") throw TokenizerException.Unsupported(site.Where, $"the model '{type}'", ["BPE"]);
        site.RequireOnly(
            "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges",
            "vocab", "merges");
        site.RequireInert(
            "dropout", static value => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var rate) && rate == 0);
        site.RequireInert("continuing_subword_prefix", IsEmptyText);
        site.RequireInert("end_of_word_suffix", IsEmptyText);

        var vocabulary = ReadVocabulary(site.Required("vocab"));
        return new BytePairModel(
            new BytePairRules
            {
                Vocabulary = vocabulary,
                Merges = ReadMerges(site.Required("merges"), vocabulary),
                UnknownId = site.Find("unk_token") is { } unknown ? IdOf(unknown, unknown.Text(), vocabulary) : null,
                FuseUnknown = site.Flag("fuse_unk", absent: false),
                ByteFallback = site.Flag("byte_fallback", absent: false),
                IgnoreMerges = site.Flag("ignore_merges", absent: false),
            },
            site.Where);
    }

    private static bool IsEmptyText(JsonElement value) => value.ValueKind == JsonValueKind.String && value.ValueEquals(string.Empty);

    private static Dictionary<string, int> ReadVocabulary(JsonSite site)
    {
        site.RequireKind(JsonValueKind.Object, "an object of tokens and their ids");
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var seen = new HashSet<int>();
        foreach (var property in site.Element.EnumerateObject())
        {
            var token = site.NameOf(property);
            var id = new JsonSite(property.Value, $"{site.Where}['{token}']").Id();
            if (!vocabulary.TryAdd(token, id))
            {
                throw TokenizerException.Invalid(site.Where, $"'{token}' stands there twice", "each token once");
            }
            if (!seen.Add(id)) throw TokenizerException.Invalid(site.Where, $"two tokens have the id {id}", "each id once");
        }

        return vocabulary;
    }

    private static MergeTable ReadMerges(JsonSite site, Dictionary<string, int> vocabulary)
    {
        site.RequireKind(JsonValueKind.Array, "an array of pairs");
        var merges = new MergeTable(site.Element.GetArrayLength());
        var rank = 0;
        foreach (var merge in site.Items(JsonSite.IdLimit))
        {
            var (left, right) = Pair(merge);
            merges.Set(IdOf(merge, left, vocabulary), IdOf(merge, right, vocabulary), rank++, IdOf(merge, left + right, vocabulary));
        }

        return merges;
    }

    private static (string Left, string Right) Pair(JsonSite site)
    {
        string[] parts = site.Element.ValueKind == JsonValueKind.Array
            ? site.Items(limit: 2).Select(static part => part.Text()).ToArray()
            : site.Text().Split(' ');
        return parts is [{ Length: > 0 } left, { Length: > 0 } right]
            ? (left, right)
            : throw TokenizerException.Invalid(site.Where, $"{parts.Length} parts", "two tokens: \"a b\" or [\"a\", \"b\"]");
    }

    private static int IdOf(JsonSite site, string token, Dictionary<string, int> vocabulary) =>
        vocabulary.TryGetValue(token, out var id)
            ? id
            : throw TokenizerException.Invalid(site.Where, $"the token '{token}' is not in the vocabulary", "tokens of the vocabulary");
}
