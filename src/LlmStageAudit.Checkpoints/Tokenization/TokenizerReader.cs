using System.Text.Json;
using System.Text.Unicode;
using LlmStageAudit.Checkpoints.Tokenization.AddedTokens;
using LlmStageAudit.Checkpoints.Tokenization.BytePair;
using LlmStageAudit.Checkpoints.Tokenization.Decoding;
using LlmStageAudit.Checkpoints.Tokenization.Files;
using LlmStageAudit.Checkpoints.Tokenization.Normalization;
using LlmStageAudit.Checkpoints.Tokenization.PostProcessing;
using LlmStageAudit.Checkpoints.Tokenization.PreTokenization;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>
/// Reads a tokenizer.json into the parts of a <see cref="HuggingFaceTokenizer"/>; a part it does not know is refused by name.
/// </summary>
internal static class TokenizerReader
{
    private const long FileLimitBytes = 256L << 20;
    private const int DepthLimit = 32;

    /// <summary>Ids a vocabulary of any size may leave unused.</summary>
    private const long FreeIds = 1 << 16;

    public static TokenizerParts Read(string path)
    {
        using var document = Parse(path);
        var root = new JsonSite(document.RootElement, path);
        root.RequireUniqueKeys(except: "vocab");
        root.RequireOnly(
            "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        if (root.Find("version")?.Text() is { } version and not "1.0")
        {
            throw TokenizerException.Unsupported(path, $"the version '{version}'", ["1.0"]);
        }

        // Both would cut or lengthen the ids; the caller decides on lengths.
        root.RequireInert("truncation", static _ => false);
        root.RequireInert("padding", static _ => false);

        var model = BytePairReader.Read(root.Required("model"));
        var added = ReadAddedTokens(root.Find("added_tokens"), model.Vocabulary);
        var tokenOfId = TokensById(path, model.Vocabulary, added);
        return new TokenizerParts
        {
            Path = path,
            Normalizer = NormalizerReader.Read(root.Find("normalizer")),
            PreTokenizer = PreTokenizerReader.Read(root.Find("pre_tokenizer")),
            Model = model,
            AddedTokens = added,
            TokenOfId = tokenOfId,
            Template = PostProcessorReader.Read(root.Find("post_processor"), id => id < tokenOfId.Length && tokenOfId[id] is not null),
            Decoder = DecoderReader.Read(root.Find("decoder")),
        };
    }

    private static JsonDocument Parse(string path)
    {
        try
        {
            var bytes = ForeignFile.ReadText(path, FileLimitBytes);
            if (!Utf8.IsValid(bytes)) throw TokenizerException.Unreadable(path, "not UTF-8");
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = DepthLimit });
        }
        catch (JsonException exception)
        {
            throw TokenizerException.Unreadable(path, $"not JSON ({exception.Message})", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw TokenizerException.Unreadable(path, exception.Message, exception);
        }
    }

    private static List<AddedToken> ReadAddedTokens(JsonSite? site, IReadOnlyDictionary<string, int> vocabulary)
    {
        var tokens = new List<AddedToken>();
        if (site is not { } present) return tokens;
        var contents = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in present.Items(JsonSite.IdLimit))
        {
            var token = AddedToken.Read(item);
            if (!contents.Add(token.Content))
            {
                throw TokenizerException.Invalid(item.Where, $"'{token.Content}' stands there twice", "each once");
            }
            if (vocabulary.TryGetValue(token.Content, out var id) && id != token.Id)
            {
                throw TokenizerException.Invalid(item.Where, $"'{token.Content}' has the id {token.Id}", $"{id}, its id in the vocabulary");
            }

            tokens.Add(token);
        }

        return tokens;
    }

    private static string?[] TokensById(string path, IReadOnlyDictionary<string, int> vocabulary, List<AddedToken> added)
    {
        // The table has a place per id, so a short file must not name a large id.
        var largest = vocabulary.Values.Concat(added.Select(token => token.Id)).DefaultIfEmpty(-1).Max();
        var limit = FreeIds + (4L * (vocabulary.Count + added.Count));
        if (largest >= limit)
        {
            throw TokenizerException.Invalid(
                path, $"the id {largest} among {vocabulary.Count} tokens and {added.Count} added ones", $"ids below {limit} for so few");
        }

        var tokens = new string?[largest + 1];
        foreach (var (token, id) in vocabulary) tokens[id] = token;
        foreach (var token in added)
        {
            if (tokens[token.Id] is { } other && other != token.Content)
            {
                throw TokenizerException.Invalid(
                    path, $"the added token '{token.Content}' has the id {token.Id}, which is the id of '{other}'", "an id of its own");
            }

            tokens[token.Id] = token.Content;
        }

        return tokens;
    }
}
