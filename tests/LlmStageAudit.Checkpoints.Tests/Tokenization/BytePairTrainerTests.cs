using System.Text;
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

    [Fact]
    public void ScannedPiecesAreThoseOfGpt2sExpression()
    {
        // The same vocabulary behind .NET's regular expressions instead of the scanner.
        var path = Path.Combine(_folder, "tokenizer.json");
        BytePairTrainer.Train(Texts, 500, path);
        var scanned = HuggingFaceTokenizer.Load(path);
        const string cut = """
            {"type":"Sequence","pretokenizers":[{"type":"Split","pattern":
              {"Regex":"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
             "behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}
            """;
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(path))!;
        json["pre_tokenizer"] = System.Text.Json.Nodes.JsonNode.Parse(cut);
        var matched = SmallTokenizer.LoadText(json.ToJsonString());
        var random = new Random(7);
        string[] parts =
        [
            "'s", "'ll", "'", "the", " ", "  ", "\n", "\t", "\u00A0", "\u3000", "\u0085",
            "é", "٣", "½", "!", "…", "😀", "𝔘", "𝟘", "\u0301", "\u200D", "Ⅷ", "日本", "people", "\u001C",
        ];
        for (var round = 0; round < 2_000; round++)
        {
            var text = new StringBuilder();
            for (var count = random.Next(1, 12); count > 0; count--) text.Append(parts[random.Next(parts.Length)]);
            var expected = matched.Encode(text.ToString(), addSpecialTokens: false);
            Assert.Equal(expected, scanned.Encode(text.ToString(), addSpecialTokens: false));
        }
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
