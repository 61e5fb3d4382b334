using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Tokenization.Files;

/// <summary>A tokenizer.json that cannot be used as it stands, or a text or id it has no answer for.</summary>
public sealed class TokenizerException : InvalidInputException
{
    private TokenizerException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    internal static TokenizerException Unreadable(string path, string found, Exception? inner = null) =>
        new(Sentence(path, found, "a Hugging Face tokenizer.json"), inner);

    internal static TokenizerException Invalid(string where, string found, string expected) => new(Sentence(where, found, expected));

    internal static TokenizerException Unsupported(string where, string found, IEnumerable<string> supported) =>
        new(Sentence(where, $"{found} is not supported", string.Join(", ", supported), "it would change the ids, so it is not ignored"));

    internal static TokenizerException NoUnicodeForms(string where) =>
        new(Sentence(
            where,
            "Unicode normalization is asked for, and this process runs without Unicode data",
            "libicu on the machine",
            "install libicu and leave DOTNET_SYSTEM_GLOBALIZATION_INVARIANT unset"));

    internal static TokenizerException NoSymbol(string where, string symbol) =>
        new(Sentence(
            where,
            $"the vocabulary has no token for {string.Join(' ', symbol.EnumerateRunes().Select(rune => $"U+{rune.Value:X4}"))}",
            "a token for every character, an unknown token or byte fallback"));

    internal static TokenizerException UnknownId(string where, int id, int size) =>
        new(Sentence(where, $"no token has the id {id}", $"ids of the vocabulary, below {size}", "was it made by another tokenizer?"));

    internal static TokenizerException TextTooLong(string where, long length, int limit) =>
        new(Sentence(where, $"the text grows to {length} characters", $"at most {limit}"));

    internal static TokenizerException PatternTooSlow(string where, TimeSpan limit, Exception inner) =>
        new(
            Sentence(where, $"the pattern took more than {limit.TotalSeconds:0} s on one text", "a pattern that does not backtrack"),
            inner);
}
