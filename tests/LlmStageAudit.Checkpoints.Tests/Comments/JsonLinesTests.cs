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

    /// <summary>As Python's json.dumps writes numbers that are none; inside of texts the words stay.</summary>
    [Fact]
    public void NumbersThatPythonWritesAndJsonHasNotAreMissing()
    {
        var set = TemporaryFile.Read(
            ".jsonl", """{"a": NaN, "b":-Infinity,"c": [1, NaN], "d": "NaN, \"Infinity", "e": 0.5}""" + "\n" + """{"a": 1, "b": Infinity }""");
        var row = set.Rows[0];
        Assert.Equal([null, null, "NaN, \"Infinity", "0.5"], new[] { "a", "b", "d", "e" }.Select(row.Text));
        Assert.Throws<CheckpointException>(() => row.Ids("c"));
        Assert.Equal(["1", null], new[] { "a", "b" }.Select(set.Rows[1].Text));
        foreach (var broken in (string[])["""{"a": xNaN}""", """{"a": -NaN}""", """{NaN: 1}""", """{"a": NaNx}""", """{"a": "NaN}"""])
            Assert.Contains("line 1: not JSON", TemporaryFile.Fault(".jsonl", broken).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LinesEndAsTheyEndAnywhere()
    {
        var set = TemporaryFile.Read(".jsonl", "\uFEFF{\"a\":1}\r\n\r\n{\"a\":2}\r{\"a\":3}\n \t\n{\"a\":4}");
        Assert.Equal([1, 3, 4, 6], set.Rows.Select(row => row.Line));
        Assert.Equal(["1", "2", "3", "4"], set.Rows.Select(row => row.Text("a")));
        // Wherever a block ends: lines of many lengths, each ending in both characters.
        var text = string.Concat(Enumerable.Range(0, 3000).Select(i => $"{{\"a\":\"{new string('x', i % 97)}é\"}}\r\n"));
        var many = TemporaryFile.Read(".ndjson", text);
        Assert.Equal(Enumerable.Range(1, 3000), many.Rows.Select(row => row.Line));
        Assert.All(many.Rows, row => Assert.Equal(row.Text("a")!.Length, ((row.Number - 1) % 97) + 1));
    }

    [Fact]
    public void ListsOfMessagesAreNamed()
    {
        var set = TemporaryFile.Read(".jsonl", """{"m": [{"role": "user", "content": "a"}], "s": [{"from": "human", "value": "a"}], "t": ["a"]}""");
        foreach (var column in (string[])["m", "s"])
        {
            var fault = Assert.Throws<CheckpointException>(() => set.Rows[0].Text(column));
            Assert.Contains($"line 1, column '{column}': a list of chat messages, which is not read; expected text; give the prompt in one "
                + "column and the answer in another, as data.text and data.completion", fault.Message, StringComparison.Ordinal);
        }

        Assert.Contains("a list of texts", Assert.Throws<CheckpointException>(() => set.Rows[0].Ids("t")).Message);
    }

    [Fact]
    public void AListInPlaceOfLinesIsToldHowToSplit() =>
        Assert.Contains("jq -c '.[]'", TemporaryFile.Fault(".jsonl", "[{\"a\":1}]").Message, StringComparison.Ordinal);

    [Fact]
    public void LoneSurrogatesAreReadAsText() =>
        Assert.Equal("\uFFFD😀", TemporaryFile.Read(".jsonl", "{\"text\": \"\\ud83d\\ud83d\\ude00\"}").Rows[0].Text("text"));
}
