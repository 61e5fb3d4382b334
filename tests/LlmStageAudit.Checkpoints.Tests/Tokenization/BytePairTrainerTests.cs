using System.Text.Json.Nodes;
using FsCheck.Xunit;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Checkpoints.Tokenization;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

public sealed class BytePairTrainerTests : IDisposable
{
    private static readonly string[] Texts =
    [
        .. Enumerable.Repeat("the weather is fine and the people are kind", 50),
        .. Enumerable.Repeat("The quick brown fox, it's 42 years old; naïve café!", 20),
        "rare words appear only once: zebra xylophone",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("trainer-").FullName;

    private static readonly Lazy<(HuggingFaceTokenizer Scanned, HuggingFaceTokenizer Matched)> Cutters = new(() =>
    {
        using var scratch = new ScratchFolder();
        var path = scratch["tokenizer.json"];
        BytePairTrainer.Train(Texts, 500, path);
        const string cut = """
            {"type":"Sequence","pretokenizers":[{"type":"Split","pattern":
              {"Regex":"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
             "behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}
            """;
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        json["pre_tokenizer"] = JsonNode.Parse(cut);
        return (HuggingFaceTokenizer.Load(path), SmallTokenizer.LoadText(json.ToJsonString()));
    });

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void FrequentPiecesBecomeSingleTokensAndTextComesBack()
    {
        var path = Path.Combine(_folder, "tokenizer.json");
        var size = BytePairTrainer.Train(Texts, 600, path);
        var tokenizer = HuggingFaceTokenizer.Load(path);
        Assert.Equal(size, tokenizer.VocabularySize);
        Assert.InRange(size, 300, 600);
        Assert.Equal(0, tokenizer.IdOf("<|endoftext|>"));
        Assert.Equal(1, tokenizer.IdOf("<|padding|>"));
        foreach (var piece in new[] { " people", " the", " brown", "The", " 42", " café" })
        {
            Assert.Single(tokenizer.Encode(piece, addSpecialTokens: false));
        }

        Assert.Equal([0], tokenizer.Encode("<|endoftext|>", addSpecialTokens: true));
        foreach (var text in Texts.Append("日本語 \u0000\u0001 😀\r\n\t§ <|padding|>").Append(""))
        {
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false), skipSpecialTokens: false));
        }
    }

    [Fact]
    public void MergesAreTakenByFrequencyThenOrder()
    {
        // Pieces: "ab" 3 times, " cd" 3 times. Equal counts (3): "a b", "c d", "Ġ c"; ordinal order takes a b, c d, then Ġ cd.
        var path = Path.Combine(_folder, "tokenizer.json");
        Assert.Equal(261, BytePairTrainer.Train(["ab cd", "ab cd", "ab cd"], 600, path));
        var tokenizer = HuggingFaceTokenizer.Load(path);
        Assert.Equal(258, tokenizer.IdOf("ab"));
        Assert.Equal(259, tokenizer.IdOf("cd"));
        Assert.Equal(260, tokenizer.IdOf("Ġcd"));
    }

    [Fact]
    public void SameTextsGiveTheSameFile()
    {
        BytePairTrainer.Train(Texts, 400, Path.Combine(_folder, "one.json"));
        BytePairTrainer.Train(Texts.Reverse(), 400, Path.Combine(_folder, "two.json"));
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "one.json")), File.ReadAllBytes(Path.Combine(_folder, "two.json")));
    }

    /// <summary>The same vocabulary behind .NET's regular expressions instead of the scanner.</summary>
    [Property(Arbitrary = [typeof(UnicodeText)], MaxTest = 500, Replay = "7,297405283")]
    public void ScannedPiecesAreThoseOfGpt2sExpression(UnicodeText text)
    {
        var (scanned, matched) = Cutters.Value;
        Assert.Equal(matched.Encode(text.Value, addSpecialTokens: false), scanned.Encode(text.Value, addSpecialTokens: false));
    }

    [Fact]
    public void ManyThreadsMayEncodeAtOnce()
    {
        var path = Path.Combine(_folder, "tokenizer.json");
        BytePairTrainer.Train(Texts, 500, path);
        var expected = Texts.Select(text => HuggingFaceTokenizer.Load(path).Encode(text, addSpecialTokens: false)).ToArray();
        var shared = HuggingFaceTokenizer.Load(path);
        Parallel.For(0, 200, round =>
            Assert.Equal(expected[round % Texts.Length], shared.Encode(Texts[round % Texts.Length], addSpecialTokens: false)));
    }
}
