namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

public sealed class NormalizationTests
{
    private static string[] Tokens(string normalizer, string text, params string[] vocabulary) =>
        SmallTokenizer.Tokens(new SmallTokenizer { Vocabulary = [.. vocabulary], Normalizer = normalizer }.Load(), text);

    [Theory]
    [InlineData("NFC", "e\u0301", "é")]
    [InlineData("NFD", "é", "e|\u0301")]
    [InlineData("NFKC", "ﬁ", "f|i")]
    [InlineData("NFKD", "é½", "e|\u0301|1|\u2044|2")]
    [InlineData("Lowercase", "AΩİ𐐀", "a|ω|i|\u0307|𐐨")]
    public void FormsAreUnicodes(string type, string text, string expected) =>
        Assert.Equal(expected.Split('|'), Tokens($$"""{"type":"{{type}}"}""", text, expected.Split('|')));

    [Fact]
    public void NoncharacterDoesNotStopNormalization() =>
        Assert.Equal(["é", "\uFFFE", "é"], Tokens("""{"type":"NFC"}""", "e\u0301\uFFFEe\u0301", "é", "\uFFFE"));

    [Fact]
    public void LoneSurrogatesBecomeReplacementCharacters() =>
        Assert.Equal(["\uFFFD", "a", "\uFFFD", "😀"], Tokens("""{"type":"NFC"}""", "\uD83Da\uDE00😀", "\uFFFD", "a", "😀"));

    [Fact]
    public void StepsFollowEachOther() =>
        Assert.Equal(
            ["_", "a", "_", "_", "#"],
            Tokens(
                """
                {"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"_"},
                 {"type":"Replace","pattern":{"String":" "},"content":"_"},
                 {"type":"Replace","pattern":{"Regex":"[0-9]+"},"content":"#"}]}
                """,
                "a  123",
                "_",
                "a",
                "#"));

    [Fact]
    public void ReplacementsThatGrowWithoutEndAreRefused()
    {
        var growing = $$"""{"type":"Replace","pattern":{"String":"a"},"content":"{{new string('a', 1000)}}"}""";
        Assert.Throws<CheckpointException>(
            () => Tokens($$"""{"type":"Sequence","normalizers":[{{string.Join(',', Enumerable.Repeat(growing, 40))}}]}""", "a", "a"));
    }
}
