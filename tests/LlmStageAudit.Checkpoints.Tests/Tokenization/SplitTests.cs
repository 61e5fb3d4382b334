
namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

public sealed class SplitTests
{
    private static string[] Pieces(string text, string preTokenizer, params string[] pieces)
    {
        // Every expected piece is a token, and pieces that are tokens are not merged further: tokens show the pieces.
        var letters = text.EnumerateRunes().Select(rune => rune.ToString());
        var tokenizer = new SmallTokenizer
        {
            Vocabulary = letters.Concat(pieces).Distinct().ToList(),
            PreTokenizer = preTokenizer,
            Model = """{"ignore_merges":true}""",
        }.Load();
        return SmallTokenizer.Tokens(tokenizer, text);
    }

    [Theory]
    [InlineData("Removed", "the|final|countdown")]
    [InlineData("Isolated", "the|-|final|-|-|countdown")]
    [InlineData("MergedWithPrevious", "the-|final-|-|countdown")]
    [InlineData("MergedWithNext", "the|-final|-|-countdown")]
    [InlineData("Contiguous", "the|-|final|--|countdown")]
    public void BehavioursAreHuggingFaces(string behavior, string expected)
    {
        var split = $$"""{"type":"Split","pattern":{"String":"-"},"behavior":"{{behavior}}","invert":false}""";
        Assert.Equal(expected.Split('|'), Pieces("the-final--countdown", split, expected.Split('|')));
    }

    [Fact]
    public void InvertedSplitTakesWhatLiesBetween()
    {
        var split = """{"type":"Split","pattern":{"Regex":"[a-z]+"},"behavior":"Removed","invert":true}""";
        Assert.Equal(["ab", "cd"], Pieces("ab, cd!", split, "ab", "cd"));
    }

    [Fact]
    public void PatternsSeeCodePoints()
    {
        // Mathematical letters and digits lie beyond U+FFFF; one emoji is one character of no class.
        var split = """{"type":"Split","pattern":{"Regex":"\\p{Lu}|\\p{Ll}+|\\p{Nd}+|."},"behavior":"Isolated","invert":false}""";
        var expected = new[] { "𝔘", "𝔫𝔦", "𝟘1", "👩", "x" };
        Assert.Equal(expected, Pieces("𝔘𝔫𝔦𝟘1👩x", split, expected));
    }

    [Theory]
    [InlineData(true, "a|1|2|b|²")]
    [InlineData(false, "a|12|b|²")]
    public void DigitsAreSetApart(bool individual, string expected)
    {
        var split = $$"""{"type":"Digits","individual_digits":{{(individual ? "true" : "false")}}}""";
        Assert.Equal(expected.Split('|'), Pieces("a12b²", split, expected.Split('|')));
    }

    [Theory]
    [InlineData("^a")]
    [InlineData("a$")]
    [InlineData(@"\\w+")]
    [InlineData(@"\\bx")]
    [InlineData("[a[bc]]")]
    [InlineData("[a&&b]")]
    [InlineData("(?m:a)")]
    [InlineData("a++")]
    [InlineData(@"\\p{Han}")]
    [InlineData("(")]
    public void PatternsThatTheEnginesReadDifferentlyAreRefused(string pattern)
    {
        var tokenizer = new SmallTokenizer
        {
            PreTokenizer = $$"""{"type":"Split","pattern":{"Regex":"{{pattern}}"},"behavior":"Isolated","invert":false}""",
        };
        var fault = Assert.Throws<CheckpointException>(tokenizer.Load);
        Assert.Contains("pre_tokenizer.pattern.Regex", fault.Message, StringComparison.Ordinal);
    }
}
