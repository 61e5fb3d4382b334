using System.Diagnostics;
using FsCheck.Xunit;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

public sealed class BytePairTests
{
    /// <summary>Against the definition taken literally: search all pairs for the lowest rank, merge the leftmost, repeat.</summary>
    [Property(MaxTest = 500, Replay = "5,297405283")]
    public void MergesAreThoseOfTheDefinition(byte[] choices, byte[] letters)
    {
        var vocabulary = SmallTokenizer.Letters("abc");
        var merges = new List<(string Left, string Right)>();
        foreach (var choice in choices.Chunk(2).Where(static choice => choice.Length == 2))
        {
            var pair = (Left: vocabulary[choice[0] % vocabulary.Count], Right: vocabulary[choice[1] % vocabulary.Count]);
            if (merges.Contains(pair) || pair.Left.Length + pair.Right.Length > 64) continue;
            merges.Add(pair);
            if (!vocabulary.Contains(pair.Left + pair.Right)) vocabulary.Add(pair.Left + pair.Right);
        }

        var tokenizer = new SmallTokenizer
        {
            Vocabulary = vocabulary,
            Merges = merges.Select(pair => $"{pair.Left} {pair.Right}").ToList(),
        }.Load();
        var text = new string(letters.Select(static letter => "abc"[letter % 3]).ToArray());
        Assert.Equal(MergeLiterally(text, merges), SmallTokenizer.Tokens(tokenizer, text));
    }

    [Fact]
    public void PairsMayBeWrittenAsLists()
    {
        var spaced = new SmallTokenizer { Vocabulary = ["a", "b", "ab"], Merges = ["a b"] }.Json();
        var listed = SmallTokenizer.LoadText(spaced.Replace("\"a b\"", "[\"a\",\"b\"]", StringComparison.Ordinal));
        Assert.Equal(["ab", "a"], SmallTokenizer.Tokens(listed, "aba"));
    }

    [Theory]
    [InlineData(true, "a|<unk>|b")]
    [InlineData(false, "a|<unk>|<unk>|b")]
    public void UnknownCharactersFuseWhereAsked(bool fuse, string expected)
    {
        var tokenizer = new SmallTokenizer
        {
            Vocabulary = ["<unk>", "a", "b"],
            Model = $$"""{"unk_token":"<unk>","fuse_unk":{{(fuse ? "true" : "false")}}}""",
        }.Load();
        Assert.Equal(expected.Split('|'), SmallTokenizer.Tokens(tokenizer, "axyb"));
    }

    [Fact]
    public void ByteFallbackSpellsUtf8AndComesBack()
    {
        var bytes = Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>");
        var tokenizer = new SmallTokenizer
        {
            Vocabulary = [.. bytes, "a"],
            Model = """{"byte_fallback":true}""",
            Decoder = """
                {"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":"a","start":1,"stop":0}]}
                """,
        }.Load();
        Assert.Equal([256, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80], tokenizer.Encode("a€😀", addSpecialTokens: false));
        Assert.Equal("€😀", tokenizer.Decode([256, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80], skipSpecialTokens: false));
        Assert.Equal("\uFFFD\uFFFDa", tokenizer.Decode([0xE2, 0x82, 256], skipSpecialTokens: false));
    }

    [Fact]
    public void CharacterWithoutATokenIsAnError()
    {
        var tokenizer = new SmallTokenizer { Vocabulary = ["a"] }.Load();
        var fault = Assert.Throws<CheckpointException>(() => tokenizer.Encode("a€", addSpecialTokens: false));
        Assert.Contains("U+20AC", fault.Message, StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => tokenizer.Decode([1], skipSpecialTokens: false));
        Assert.Throws<CheckpointException>(() => tokenizer.Decode([-1], skipSpecialTokens: false));
    }

    [Fact]
    public void MegabyteInOnePieceTakesBoundedTime()
    {
        List<string> vocabulary = ["a"];
        for (var length = 2; length <= 1 << 10; length *= 2) vocabulary.Add(new string('a', length));
        var tokenizer = new SmallTokenizer
        {
            Vocabulary = vocabulary,
            Merges = vocabulary.SkipLast(1).Select(token => $"{token} {token}").ToList(),
        }.Load();
        var watch = Stopwatch.StartNew();
        Assert.Equal(1 << 10, tokenizer.Encode(new string('a', 1 << 20), addSpecialTokens: false).Length);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"{watch.Elapsed}");
    }

    [SharedDataFact("data/pythia/tokenizer.json", "data/gemma3/tokenizer.json")]
    public void MegabyteCommentTakesBoundedTimeInRealTokenizers()
    {
        var comment = string.Concat(Enumerable.Range(0, 1 << 17).Select(i => i % 7 == 0 ? "!!!!!!! " : "abcdefgh"));
        foreach (var name in new[] { "pythia", "gemma3" })
        {
            var tokenizer = SampleTokenizers.All.Value[name];
            var watch = Stopwatch.StartNew();
            foreach (var text in new[] { comment, new string(' ', 1 << 20), new string('x', 1 << 20) })
            {
                Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false), skipSpecialTokens: false));
            }

            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"{name}: {watch.Elapsed}");
        }
    }

    private static List<string> MergeLiterally(string text, List<(string Left, string Right)> merges)
    {
        var symbols = SmallTokenizer.Letters(text);
        while (true)
        {
            var best = Enumerable.Range(0, Math.Max(0, symbols.Count - 1))
                .Select(at => (Rank: merges.IndexOf((symbols[at], symbols[at + 1])), At: at))
                .Where(candidate => candidate.Rank >= 0)
                .DefaultIfEmpty((-1, -1))
                .Min();
            if (best.Item1 < 0) return symbols;
            symbols[best.Item2] += symbols[best.Item2 + 1];
            symbols.RemoveAt(best.Item2 + 1);
        }
    }
}
