using LlmStageAudit.Checkpoints.Tokenization;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>Tokenizers of every kind that the reader knows: small ones, and the real ones where they lie beside the repository.</summary>
internal static class SampleTokenizers
{
    /// <summary>As Pythia's: NFC, bytes, special tokens that are sought in the given text.</summary>
    public static SmallTokenizer Bytes => new()
    {
        Vocabulary = ["<|endoftext|>", .. Alphabet, "Ġt", "he", "Ġthe", "ĠĠ", "Ã©", "ll", "He", "Hell", "Hello", "ðŁ", "ĺĢ"],
        Merges = ["Ġ t", "h e", "Ġt he", "Ġ Ġ", "Ã ©", "l l", "H e", "He ll", "Hell o", "ð Ł", "ĺ Ģ"],
        Normalizer = """{"type":"NFC"}""",
        PreTokenizer = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""",
        Decoder = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""",
        AddedTokens = """[{"id":0,"content":"<|endoftext|>","special":true},{"id":268,"content":"\n\n","normalized":true}]""",
    };

    /// <summary>As Gemma's: spaces shown, unknown characters as bytes.</summary>
    public static SmallTokenizer Fallback => new()
    {
        Vocabulary =
        [
            "<bos>", "<unk>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), .. SmallTokenizer.Letters("helo▁wrd'12é日"),
            "ll", "▁w", "▁▁",
        ],
        Merges = ["l l", "▁ w", "▁ ▁"],
        Normalizer = """{"type":"Replace","pattern":{"String":" "},"content":"▁"}""",
        PreTokenizer = """{"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious","invert":false}""",
        PostProcessor = """
            {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<bos>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
             "pair":[],"special_tokens":{"<bos>":{"id":"<bos>","ids":[0],"tokens":["<bos>"]}}}
            """,
        Decoder = """
            {"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
             {"type":"ByteFallback"},{"type":"Fuse"}]}
            """,
        AddedTokens = """[{"id":0,"content":"<bos>","special":true}]""",
        Model = """{"unk_token":"<unk>","fuse_unk":true,"byte_fallback":true}""",
    };

    /// <summary>As Llama 2's: a space is put before the text and taken off again; unknown characters become one token.</summary>
    public static SmallTokenizer Prefixed => new()
    {
        Vocabulary = ["<s>", "<unk>", .. SmallTokenizer.Letters("helo▁wrd'12"), "ll", "▁w", "▁▁"],
        Merges = ["l l", "▁ w", "▁ ▁"],
        Normalizer = """
            {"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},
             {"type":"Replace","pattern":{"String":" "},"content":"▁"}]}
            """,
        Decoder = """
            {"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},
             {"type":"Strip","content":" ","start":1,"stop":0}]}
            """,
        AddedTokens = """[{"id":0,"content":"<s>","special":true}]""",
        Model = """{"unk_token":"<unk>","fuse_unk":true}""",
    };

    /// <summary>As Llama's that were saved with legacy false: the pre-tokenizer shows spaces, and puts one before where it is told to.</summary>
    public static SmallTokenizer Marked(string scheme, bool splits) => new()
    {
        Vocabulary = [.. Fallback.Vocabulary, "o▁"],
        Merges = [.. Fallback.Merges, "o ▁"],
        PreTokenizer = Metaspace(scheme, splits),
        Decoder = Metaspace(scheme, splits),
        AddedTokens = """
            [{"id":0,"content":"<bos>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
             {"id":275,"content":"<x>","single_word":false,"lstrip":false,"rstrip":false,"normalized":true,"special":false}]
            """,
        Model = """{"unk_token":"<unk>","fuse_unk":true,"byte_fallback":true}""",
    };

    private static string Metaspace(string scheme, bool splits) =>
        $$"""{"type":"Metaspace","replacement":"▁","prepend_scheme":"{{scheme}}","split":{{(splits ? "true" : "false")}}}""";

    /// <summary>Lower case, an added token with it.</summary>
    public static SmallTokenizer Lowercased => new()
    {
        Vocabulary = ["<unk>", .. SmallTokenizer.Letters("welho' ")],
        Normalizer = """{"type":"Lowercase"}""",
        Decoder = """{"type":"Fuse"}""",
        AddedTokens = """[{"id":8,"content":"WE","normalized":true}]""",
        Model = """{"unk_token":"<unk>","fuse_unk":false}""",
    };

    public static readonly Lazy<IReadOnlyDictionary<string, HuggingFaceTokenizer>> All = new(() =>
    {
        var all = new Dictionary<string, HuggingFaceTokenizer>
        {
            ["bytes"] = Bytes.Load(), ["fallback"] = Fallback.Load(), ["prefixed"] = Prefixed.Load(),
            ["lowercased"] = Lowercased.Load(), ["marked"] = Marked("never", splits: true).Load(),
        };
        foreach (var name in new[] { "pythia", "gemma3" })
        {
            var path = SharedData.PathOf($"data/{name}/tokenizer.json");
            if (File.Exists(path)) all[name] = HuggingFaceTokenizer.Load(path);
        }

        return all;
    });

    private static IEnumerable<string> Alphabet => Enumerable.Range(0, 256).Select(value => ByteLevelCharacter((byte)value).ToString());

    // GPT-2's bytes_to_unicode, once more.
    private static char ByteLevelCharacter(byte value)
    {
        static bool Printable(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
        return (char)(Printable(value) ? value : 256 + Enumerable.Range(0, value).Count(other => !Printable(other)));
    }
}
