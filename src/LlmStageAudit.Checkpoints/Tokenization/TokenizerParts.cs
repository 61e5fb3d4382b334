using System.Text.Unicode;
using LlmStageAudit.Checkpoints.Tokenization.BytePair;
using LlmStageAudit.Checkpoints.Tokenization.Steps;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>The steps of one tokenizer.json, in the order text passes them; a part that is not known is refused by name.</summary>
internal sealed class TokenizerParts
{
    private const long FileLimitBytes = 256L << 20;
    private const int DepthLimit = 32;

    /// <summary>Ids a vocabulary of any size may leave unused.</summary>
    private const long FreeIds = 1 << 16;

    private TokenizerParts(JsonSite root)
    {
        root.RequireUniqueKeys(except: "vocab");
        root.Only(
            "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        if (root.Find("version")?.Text() is { } version and not "1.0") throw root.Unsupported($"the version '{version}'", "1.0");

        // Transformers resets both on every call, and only keeps the side on which it cuts then.
        if (root.Find("truncation") is { } truncation) CutsLeft = Direction(truncation) == "Left";
        if (root.Find("padding") is { } padding) Direction(padding);

        Path = root.Where;
        Model = new BytePairModel(root.Required("model"));
        if (root.Find("added_tokens") is { } added) AddedTokens = ReadAddedTokens(added, Model.Vocabulary);
        TokenOfId = TokensById(root, Model.Vocabulary, AddedTokens);
        if (root.Find("normalizer") is { } normalizer) Normalizer = AlignedNormalizer.Read(normalizer);
        if (root.Find("pre_tokenizer") is { } preTokenizer) PreTokenizer = PieceCutter.Read(preTokenizer);
        if (root.Find("post_processor") is { } processor) Template = SequenceTemplate.Read(processor, id => TokenOf(id) is not null);
        Decoder = Decoders.Read(root.Find("decoder"));
    }

    public string Path { get; }

    /// <summary>Whether the file was saved by one who cut texts on the left.</summary>
    public bool CutsLeft { get; }

    public IReadOnlyList<AddedToken> AddedTokens { get; } = [];

    /// <summary>Null where the file has none.</summary>
    public AlignedNormalizer? Normalizer { get; }

    /// <summary>Null where the file has none.</summary>
    public PieceCutter? PreTokenizer { get; }

    public BytePairModel Model { get; }

    public SequenceTemplate Template { get; } = SequenceTemplate.Empty;

    public TokenDecoder Decoder { get; }

    /// <summary>Every token by its id; null where no token has that id.</summary>
    public string?[] TokenOfId { get; }

    public static TokenizerParts Read(string path)
    {
        using var document = Parse(path);
        return new TokenizerParts(new JsonSite(document.RootElement, path));
    }

    /// <summary>The token with an id, or null.</summary>
    public string? TokenOf(int id) => (uint)id < (uint)TokenOfId.Length ? TokenOfId[id] : null;

    private static string Direction(JsonSite site) => site.Find("direction") is not { } direction ? "Right"
        : direction.Text() is "Left" or "Right" ? direction.Text() : throw direction.Fault($"'{direction.Text()}'", "Left or Right");

    private static JsonDocument Parse(string path)
    {
        try
        {
            var bytes = ForeignFile.ReadText(path, FileLimitBytes);
            if (!Utf8.IsValid(bytes)) throw Unreadable("not UTF-8");
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = DepthLimit });
        }
        catch (JsonException exception)
        {
            throw Unreadable($"not JSON ({exception.Message})", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(exception.Message, exception);
        }

        CheckpointException Unreadable(string found, Exception? inner = null) =>
            CheckpointException.At(path, found, "a Hugging Face tokenizer.json", inner: inner);
    }

    private static List<AddedToken> ReadAddedTokens(JsonSite site, IReadOnlyDictionary<string, int> vocabulary)
    {
        var tokens = new List<AddedToken>();
        var contents = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in site.Items(JsonSite.IdLimit))
        {
            var token = AddedToken.Read(item);
            if (!contents.Add(token.Content)) throw item.Fault($"'{token.Content}' stands there twice", "each once");
            if (vocabulary.TryGetValue(token.Content, out var id) && id != token.Id)
                throw item.Fault($"'{token.Content}' has the id {token.Id}", $"{id}, its id in the vocabulary");
            tokens.Add(token);
        }

        return tokens;
    }

    private static string?[] TokensById(
        JsonSite root, IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<AddedToken> added)
    {
        // The table has a place per id, so a short file must not name a large id.
        var largest = vocabulary.Values.Concat(added.Select(token => token.Id)).DefaultIfEmpty(-1).Max();
        var limit = FreeIds + (4L * (vocabulary.Count + added.Count));
        if (largest >= limit)
        {
            throw root.Fault(
                $"the id {largest} among {vocabulary.Count} tokens and {added.Count} added ones", $"ids below {limit} for so few");
        }

        var tokens = new string?[largest + 1];
        foreach (var (token, id) in vocabulary) tokens[id] = token;
        foreach (var token in added)
        {
            if (tokens[token.Id] is { } other && other != token.Content)
            {
                throw root.Fault(
                    $"the added token '{token.Content}' has the id {token.Id}, which is the id of '{other}'", "an id of its own");
            }

            tokens[token.Id] = token.Content;
        }

        return tokens;
    }
}
