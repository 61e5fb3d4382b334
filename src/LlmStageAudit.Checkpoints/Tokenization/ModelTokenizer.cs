using LlmStageAudit.Checkpoints.Tokenization.Steps;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>
/// The tokenizer of a model folder as transformers uses it: tokenizer.json, and what tokenizer_config.json beside it changes. Where
/// versions of transformers would make other ids of the same two files, they are refused.
/// </summary>
public sealed class ModelTokenizer
{
    private const string ConfigFile = "tokenizer_config.json";
    private const long LongestBytes = 16 << 20;
    private const int LargestLength = 1 << 24;

    /// <summary>Classes that put these tokens around a text whatever tokenizer.json says, with their defaults.</summary>
    private static readonly Dictionary<string, (bool Bos, bool Eos, string BosToken, string EosToken)> Templated = new()
    {
        ["CodeLlamaTokenizer"] = (true, false, "<s>", "</s>"),
        ["CohereTokenizer"] = (true, false, "<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>"),
        ["GPTNeoXTokenizer"] = (false, false, "<|endoftext|>", "<|endoftext|>"),
        ["GemmaTokenizer"] = (true, false, "<bos>", "<eos>"),
        ["LlamaTokenizer"] = (true, false, "<s>", "</s>"),
    };

    /// <summary>Settings that change the ids and are not supported; each must be absent, null or false.</summary>
    private static readonly string[] Unsupported = ["split_special_tokens", "fix_mistral_regex"];

    private static readonly string[] NamedTokens =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private readonly HuggingFaceTokenizer _tokenizer;

    private ModelTokenizer(HuggingFaceTokenizer tokenizer, JsonSection? config)
    {
        _tokenizer = tokenizer;
        (Before, After, CutsLeft) = (tokenizer.Template.Before, tokenizer.Template.After, tokenizer.CutsLeft);
        if (config is null) return;
        var unsupported = Unsupported.Where(key => config.FindBool(key) == true).ToList();
        var prefix = config.FindBool("add_prefix_space");
        if (prefix is not null && tokenizer.PreTokenizer is ByteLevelPreTokenizer cutter && cutter.AddsPrefixSpace != prefix)
            unsupported.Add($"add_prefix_space {Spelled(prefix.Value)}, where tokenizer.json has {Spelled(!prefix.Value)}");
        if (unsupported.Count > 0)
            throw CheckpointException.Unsupported(config.Path, unsupported, null, "the ids would not be this tokenizer's");
        (Before, After) = Template(config);
        CutsLeft = config.FindString("truncation_side") switch
        {
            null => CutsLeft,
            "left" => true,
            "right" => false,
            var other => throw config.Fault("truncation_side", $"found {MessageText.Quote(other)}", "left or right"),
        };

        // Whoever saved a tokenizer without a limit saved 1e30.
        MaxLength = config.FindPositive("model_max_length") is { } length and <= LargestLength ? (int)Math.Max(1, length) : null;
        if (Strangers(config) is { Count: > 0 } strangers)
        {
            Warnings =
            [
                new Warning("tokenizer", $"{config.Path}: {string.Join(", ", strangers.Take(5).Select(MessageText.Quote))} "
                    + "are no tokens of tokenizer.json: where a text holds one as it is written, transformers would add a token for it"),
            ];
        }
    }

    /// <summary>Ids that stand before a text's own.</summary>
    public IReadOnlyList<int> Before { get; }

    /// <summary>Ids that stand after a text's own.</summary>
    public IReadOnlyList<int> After { get; }

    /// <summary>Whether a text that is too long loses its beginning rather than its end.</summary>
    public bool CutsLeft { get; }

    /// <summary>The longest sequence in tokens that is made where nobody asks for another length; null for any.</summary>
    public int? MaxLength { get; }

    /// <summary>What of the files may make the ids other than they may be taken for.</summary>
    public IReadOnlyList<Warning> Warnings { get; } = [];

    /// <summary>Loads tokenizer.json and, where there is one, the tokenizer_config.json beside it.</summary>
    /// <exception cref="CheckpointException">A file is unreadable, or has a part that is not supported.</exception>
    public static ModelTokenizer Load(string path)
    {
        var config = Path.Combine(Path.GetDirectoryName(path)!, ConfigFile);
        return new ModelTokenizer(HuggingFaceTokenizer.Load(path), File.Exists(config) ? JsonSection.Read(config, LongestBytes) : null);
    }

    /// <summary>The ids of a text alone, without those that stand before and after.</summary>
    /// <exception cref="CheckpointException">A character the vocabulary has no answer for.</exception>
    public int[] Encode(string text) => _tokenizer.Encode(text, addSpecialTokens: false);

    private (IReadOnlyList<int> Before, IReadOnlyList<int> After) Template(JsonSection config)
    {
        var (bos, eos) = (config.FindBool("add_bos_token"), config.FindBool("add_eos_token"));
        var name = config.FindString("tokenizer_class") is { } given ? RemoveFast(given) : "";
        var isTemplated = Templated.TryGetValue(name, out var family);
        if (!isTemplated && bos is null && eos is null) return (Before, After);
        var (addsBos, addsEos) = (bos ?? family.Bos, eos ?? family.Eos);
        var before = addsBos ? [IdOf(config, "bos_token", family.BosToken)] : Array.Empty<int>();
        var after = addsEos ? [IdOf(config, "eos_token", family.EosToken)] : Array.Empty<int>();
        if (before.SequenceEqual(Before) && after.SequenceEqual(After)) return (Before, After);

        // All versions rebuild the template of these classes where they are told to, and of GPT-NeoX always; the last is of one version.
        if (isTemplated && (bos is not null || eos is not null || name == "GPTNeoXTokenizer")) return (before, after);
        if (name == "TokenizersBackend") return (before, after);
        var source = isTemplated ? $" (the defaults of {name})" : "";
        throw CheckpointException.At(
            config.Path,
            $"add_bos_token {Spelled(addsBos)} and add_eos_token {Spelled(addsEos)}{source} do not agree with the post_processor of "
            + "tokenizer.json",
            "both to say the same, as versions of transformers follow one or the other",
            isTemplated ? "write both keys out" : "change the one that is wrong");
    }

    private int IdOf(JsonSection config, string key, string? preset)
    {
        var token = Content(config.Find(key)) ?? preset ?? throw config.Absent(key, "a token, since it is to be added");
        return _tokenizer.IdOf(token)
            ?? throw config.Fault(key, $"{MessageText.Quote(token)} is no token of tokenizer.json", "one of its tokens");
    }

    /// <summary>Tokens that are named here and unknown to tokenizer.json.</summary>
    private List<string> Strangers(JsonSection config)
    {
        var named = NamedTokens.Select(key => Content(config.Find(key)));
        var added = config.Find("added_tokens_decoder") is { ValueKind: JsonValueKind.Object } table
            ? table.EnumerateObject().Select(entry => Content(entry.Value))
            : [];
        return [.. named.Concat(added).OfType<string>().Where(token => token.Length > 0 && _tokenizer.IdOf(token) is null).Distinct()];
    }

    /// <summary>A token as text, or as an object with its content.</summary>
    private static string? Content(JsonElement? value) => value switch
    {
        { ValueKind: JsonValueKind.String } text => JsonSection.Text(text),
        { ValueKind: JsonValueKind.Object } token when token.TryGetProperty("content", out var content) => JsonSection.Text(content),
        _ => null,
    };

    private static string RemoveFast(string name) => name.EndsWith("Fast", StringComparison.Ordinal) ? name[..^4] : name;

    private static string Spelled(bool value) => value ? "true" : "false";
}
