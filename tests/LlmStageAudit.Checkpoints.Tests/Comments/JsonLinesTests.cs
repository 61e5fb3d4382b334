using LlmStageAudit.Checkpoints.Comments;

namespace LlmStageAudit.Checkpoints.Tests.Comments;

public sealed class JsonLinesTests
{
    [Fact]
    public void ScalarsAndListsOfIntegersAreKept()
    {
        var set = TemporaryFile.Read(
            ".jsonl",
            """
            {"text": "a\nb", "label": 1, "toxic": true, "ids": [3, 1, 4]}

            {"ids": [], "text": null, "score": 0.25, "meta": {"x": 1}, "mixed": [1, "a"]}
            """);
        Assert.Equal(["text", "label", "toxic", "ids", "score", "meta", "mixed"], set.Columns);
        var (first, second) = (set.Rows[0], set.Rows[1]);
        Assert.Equal(["a\nb", "1", "true", null], new[] { "text", "label", "toxic", "score" }.Select(first.Text));
        Assert.Equal([3, 1, 4], first.Ids("ids")!);
        Assert.Equal(3, second.Line);
        Assert.Equal(2, second.Number);
        Assert.Null(second.Text("text"));
        Assert.Null(second.Text("label"));
        Assert.Equal([], second.Ids("ids")!);
        Assert.Equal(0.25, second.Value("score"));
        Assert.Null(first.Ids("meta"));
        Action[] uses = [() => second.Text("meta"), () => second.Ids("mixed"), () => first.Text("ids"), () => first.Ids("text")];
        foreach (var use in uses)
        {
            Assert.Contains(", column '", Assert.Throws<CheckpointException>(use).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{\"a\":1}\n[1]\n", "line 2: a list")]
    [InlineData("{\"a\":1}\n\n{\"a\":\n", "line 3: not JSON")]
    [InlineData("{\"a\":1,\"a\":2}", "line 1: the key 'a' stands there twice")]
    [InlineData("{\"a\":1} {\"a\":2}", "line 1: not JSON")]
    public void FaultIsNamedWithItsLine(string text, string named) =>
        Assert.Contains(named, TemporaryFile.Fault(".ndjson", text).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(@"a\ud83d", @"a\ufffd")]
    [InlineData(@"\ud83d\ude00\ude00", @"\ud83d\ude00\ufffd")]
    [InlineData(@"\\ud83d\n\uD83Dx\u0041", @"\\ud83d\n\ufffdx\u0041")]
    [InlineData(@"\ud83d\ud83d\ude00", @"\ufffd\ud83d\ude00")]
    [InlineData(@"\ud83", @"\ud83")]
    public void LoneSurrogateEscapesBecomeReplacementCharacters(string json, string expected) =>
        Assert.Equal(expected, JsonSurrogates.Repair(json));

    [Fact]
    public void LoneSurrogatesAreReadAsText() =>
        Assert.Equal("\uFFFD😀", TemporaryFile.Read(".jsonl", "{\"text\": \"\\ud83d\\ud83d\\ude00\"}").Rows[0].Text("text"));
}
