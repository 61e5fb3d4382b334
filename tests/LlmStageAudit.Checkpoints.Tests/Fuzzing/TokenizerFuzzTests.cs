using System.Text;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Tokenization;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Checkpoints.Tests.Fuzzing;

public sealed class TokenizerFuzzTests : IDisposable
{
    private static readonly byte[][] Seeds =
    [
        Json(new SmallTokenizer
        {
            Vocabulary = [.. SmallTokenizer.Letters("Helo wrdĠab"), "<s>", "ll", "Ġw", "[UNK]"],
            Merges = ["l l", "Ġ w"],
            Normalizer = """
                {"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "}]}
                """,
            PreTokenizer = """
                {"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{L}+|\\s"},"behavior":"Isolated","invert":false},
                 {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}]}
                """,
            PostProcessor = """
                {"type":"TemplateProcessing","pair":[],
                 "single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
                 "special_tokens":{"<s>":{"id":"<s>","ids":[11],"tokens":["<s>"]}}}
                """,
            Decoder = """{"type":"Sequence","decoders":[{"type":"ByteLevel"},{"type":"Strip","content":" ","start":1,"stop":0}]}""",
            AddedTokens = """
                [{"id":11,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}]
                """,
            Model = """{"unk_token":"[UNK]","fuse_unk":false}""",
        }),
        // As Pythia's.
        Json(new SmallTokenizer
        {
            Vocabulary = ["<|endoftext|>", "<|padding|>", .. SmallTokenizer.Letters("Helo wrdĠab"), "ll", "Ġw"],
            Merges = ["l l", "Ġ w"],
            Normalizer = """{"type":"NFC"}""",
            PreTokenizer = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""",
            PostProcessor = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""",
            Decoder = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""",
            AddedTokens = """
                [{"id":0,"content":"<|endoftext|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
                {"id":1,"content":"<|padding|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
                {"id":15,"content":"  ","single_word":false,"lstrip":false,"rstrip":false,"normalized":true,"special":false}]
                """,
            Model = """{"dropout":null,"unk_token":null,"fuse_unk":false,"byte_fallback":false}""",
        }),
        // As Gemma's.
        Json(new SmallTokenizer
        {
            Vocabulary =
                ["<pad>", "<eos>", "<bos>", "<unk>", "<0x0A>", "<0xC3>", "<0xA9>", .. SmallTokenizer.Letters("Helo▁wrd12"), "ll", "▁w"],
            Merges = ["l l", "▁ w"],
            Normalizer = """{"type":"Replace","pattern":{"String":" "},"content":"▁"}""",
            PreTokenizer = """{"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious","invert":false}""",
            PostProcessor = """
                {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<bos>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
                "pair":[],"special_tokens":{"<bos>":{"id":"<bos>","ids":[2],"tokens":["<bos>"]}}}
                """,
            Decoder = """
                {"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}]}
                """,
            AddedTokens = """
                [{"id":2,"content":"<bos>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
                {"id":3,"content":"<unk>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}]
                """,
            Model = """{"dropout":null,"unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"ignore_merges":false}""",
        }),
        Json(new SmallTokenizer
        {
            Vocabulary = [.. SmallTokenizer.Letters("helo▁wrd"), "<unk>", "▁w", "ll"],
            Merges = ["▁ w", "l l"],
            Normalizer = """
                {"type":"Sequence","normalizers":[{"type":"Lowercase"},{"type":"Prepend","prepend":"▁"},
                {"type":"Replace","pattern":{"String":" "},"content":"▁"}]}
                """,
            PreTokenizer = """{"type":"Digits","individual_digits":true}""",
            Decoder = """
                {"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
                {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}
                """,
            Model = """{"unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"ignore_merges":false}""",
        }),
        Json(SampleTokenizers.Marked("first", splits: true)),
    ];

    private static readonly byte[][] ConfigSeeds =
    [
        Encoding.UTF8.GetBytes("""
            {"tokenizer_class":"LlamaTokenizerFast","add_bos_token":true,"add_eos_token":false,"bos_token":"<bos>",
            "eos_token":{"content":"<x>"},"model_max_length":1000000000000000019884624838656,"truncation_side":"left","legacy":false,
            "added_tokens_decoder":{"0":{"content":"<bos>","special":true}},"pad_token":null}
            """),
        Encoding.UTF8.GetBytes("""
            {"tokenizer_class":"GPTNeoXTokenizer","add_prefix_space":false,"add_eos_token":true,"eos_token":"<bos>","model_max_length":8}
            """),
    ];

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>What loads turns texts into ids below the vocabulary's size, each of which is a token.</summary>
    [Fact]
    public void Damaged_tokenizers_load_soundly_or_fail_typed() => new FuzzCampaign("tokenizer.json", 60_000).Run(
        random => JsonMutator.Mutate(Seeds[random.Next(Seeds.Length)], random),
        bytes =>
        {
            var tokenizer = HuggingFaceTokenizer.Load(_scratch.WriteBytes("tokenizer.json", bytes));
            foreach (var text in (string[])["Hello world", "", "<s> 12  \u00e9\ud83d\ude00\n"]) CheckSound(tokenizer, text);
        },
        bytes => JsonSpans.Of(bytes, depth: 32) is not { HasRepeatedKeys: false });

    /// <summary>Whatever stands before and after a text is a token; the longest sequence has at least one.</summary>
    [Fact]
    public void Damaged_tokenizer_configurations_load_soundly_or_fail_typed()
    {
        var path = _scratch.WriteText("tokenizer.json", SampleTokenizers.Marked("never", splits: false).Json());
        new FuzzCampaign("tokenizer_config.json", 30_000).Run(
            random => JsonMutator.Mutate(ConfigSeeds[random.Next(ConfigSeeds.Length)], random),
            bytes =>
            {
                _scratch.WriteBytes("tokenizer_config.json", bytes);
                var tokenizer = ModelTokenizer.Load(path);
                Assert.All(tokenizer.Before.Concat(tokenizer.After), id => Assert.InRange(id, 0, 275));
                Assert.InRange(tokenizer.MaxLength ?? 1, 1, 1 << 24);
                Assert.NotEmpty(tokenizer.Encode("hello"));
            },
            bytes => JsonSpans.Of(bytes) is not { HasRepeatedKeys: false });
    }

    private static void CheckSound(HuggingFaceTokenizer tokenizer, string text)
    {
        var ids = tokenizer.Encode(text, addSpecialTokens: true);
        Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
        Assert.NotNull(tokenizer.Decode(ids, skipSpecialTokens: false));
        Assert.Equal(ids, tokenizer.Encode(text, addSpecialTokens: true));

        // Both paths, one with offsets, give the same ids; offsets lie in the text, however the steps bend it.
        var tokens = tokenizer.EncodeWithOffsets(text, addSpecialTokens: true);
        Assert.Equal(ids, tokens.Select(token => token.Id));
        Assert.All(tokens, token => Assert.InRange(token.Offset.End.Value, token.Offset.Start.Value, text.Length));
        tokenizer.EncodeToTokens(text, out var normalized);
        var searched = (normalized ?? text).Length;
        for (var limit = 1; limit <= ids.Length; limit++)
        {
            Assert.InRange(tokenizer.GetIndexByTokenCount(text, limit, out _, out _), 0, searched);
            Assert.InRange(tokenizer.GetIndexByTokenCountFromEnd(text, limit, out _, out _), 0, searched);
        }
    }

    private static byte[] Json(SmallTokenizer tokenizer) => Encoding.UTF8.GetBytes(tokenizer.Json());
}
