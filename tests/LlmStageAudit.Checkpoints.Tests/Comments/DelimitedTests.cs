using System.Text;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Tokenization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Tests.Comments;

public sealed class DelimitedTests
{
    [Fact]
    public void QuotedFieldsHoldDelimitersLineEndsAndQuotes()
    {
        var set = TemporaryFile.Read(".csv", "id,text\r\n1,\"a, \"\"b\"\"\r\nc\"\n2,\"\"\r3,d \"e\" f");
        Assert.Equal(["id", "text"], set.Columns);
        Assert.Equal(["a, \"b\"\r\nc", "", "d \"e\" f"], set.Rows.Select(row => row.Text("text")));
        Assert.Equal([2, 4, 5], set.Rows.Select(row => row.Line));
        Assert.Equal([1, 2, 3], set.Rows.Select(row => row.Number));
    }

    [Fact]
    public void ByteOrderMarkUnicodeAndEmptyLinesAreFine()
    {
        var set = TemporaryFile.Read(".CSV", "\uFEFFtëxt,n\n\n日本 😀,0.5\n\n\n,\n");
        Assert.Equal(["tëxt", "n"], set.Columns);
        Assert.Equal(["日本 😀", ""], set.Rows.Select(row => row.Text("tëxt")));
        Assert.Equal([0.5, null], set.Rows.Select(row => row.Value("n")));
        Assert.Equal([3, 6], set.Rows.Select(row => row.Line));
    }

    [Fact]
    public void TabsDelimitTsv() => Assert.Equal("b, c", TemporaryFile.Read(".tsv", "x\ty\na\tb, c\n").Rows[0].Text("y"));

    [Fact]
    public void UnnamedFirstColumnIsARowNumber() => Assert.Equal("a", TemporaryFile.Read(".csv", ",text\n0,a\n").Rows[0].Text("text"));

    [Theory]
    [InlineData("a,b\n1,2\n3\n", "line 3: 1 fields")]
    [InlineData("a,b\n\"x\ny\",2\n3,4,5\n", "line 4: 3 fields")]
    [InlineData("a,a\n", "'a' stands there twice")]
    [InlineData("a,,b\n", "column 2 has no name")]
    [InlineData("", "an empty file")]
    [InlineData("a\nx\n\"never\nclosed", "line 3: a quote that is never closed")]
    [InlineData("a,b\n\"x\"y,2\n", "line 2: text after a closing quote")]
    public void FaultIsNamedWithItsLine(string text, string named)
    {
        var fault = TemporaryFile.Fault(".csv", text);
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Input, fault.Kind);
    }

    [Fact]
    public void ByteThatIsNotUtf8IsNamedWithLineAndOffset()
    {
        var bytes = Encoding.Latin1.GetBytes("text\nfine\ncaf\u00E9!\n");
        var fault = Assert.Throws<CheckpointException>(() => TemporaryFile.Read(".csv", bytes));
        Assert.Contains("line 3: the byte 0xE9 at offset 13", fault.Message, StringComparison.Ordinal);

        // The same across block borders, and a sequence cut short by the end of the file.
        var late = Encoding.UTF8.GetBytes("text\n" + string.Concat(Enumerable.Repeat("añb\n", 50_000))).Append((byte)0xC3).ToArray();
        fault = Assert.Throws<CheckpointException>(() => TemporaryFile.Read(".csv", late));
        Assert.Contains($"line 50002: the byte 0xC3 at offset {late.Length - 1}", fault.Message, StringComparison.Ordinal);
        Assert.Equal(50_000, TemporaryFile.Read(".csv", late[..^1]).Rows.Count(row => row.Text("text") == "añb"));
    }

    [Fact]
    public void FieldsAreBounded()
    {
        var fault = TemporaryFile.Fault(".csv", "a,b\n1,\"" + new string('x', (16 << 20) + 1) + "\"\n");
        Assert.Contains("line 2: a field of more than", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownColumnsAndFormatsAreNamed()
    {
        var set = TemporaryFile.Read(".csv", "comment,label\na,1\n");
        var fault = Assert.Throws<CheckpointException>(() => set.Rows[0].Text("coment"));
        Assert.Contains("did you mean 'comment'?", fault.Message, StringComparison.Ordinal);
        Assert.Contains("'.xlsx'", TemporaryFile.Fault(".xlsx", "a").Message, StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => CommentSet.Read(Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.csv")));
    }

    [Theory]
    [InlineData(".csv", "id;text;label\n1;good;0\n", "line 1: one column, 'id;text;label': the file seems to be separated by ';'")]
    [InlineData(".csv", "id\ttext\n1\ta\n", "separated by tabs; expected columns separated by commas; name it .tsv")]
    [InlineData(".csv", "id|text\n1|a\n", "separated by '|'")]
    [InlineData(".tsv", "id,text\n1,a\n", "separated by commas; expected columns separated by tabs; name it .csv")]
    [InlineData(".csv", "{\"text\": \"a\", \"label\": 1}\n", "line 1: JSON; expected a header row; name a file of JSON lines .jsonl")]
    [InlineData(".json", "{\"text\": \"a\"}\n", "it looks like JSON lines: name it .jsonl")]
    [InlineData(".txt", "id,text\n1,a\n", "it looks like text in columns (CSV): name it .csv")]
    public void AnotherFormatIsNamed(string extension, string text, string named) =>
        Assert.Contains(named, TemporaryFile.Fault(extension, text).Message, StringComparison.Ordinal);

    [Fact]
    public void OneColumnOfAnyNameIsReadWhereItIsQuoted() =>
        Assert.Equal(["text; or not"], TemporaryFile.Read(".csv", "\"text; or not\"\na\n").Columns);

    [Fact]
    public void QuotesMayBeOrdinaryCharacters()
    {
        const string text = "text\tlabel\nplain\t0\n\"So it begins\t0\nharmless\t0\nand there it ends\"\t1\nlast\t1\n";
        var path = Path.Combine(Path.GetTempPath(), $"comments-{Guid.NewGuid():N}.tsv");
        try
        {
            File.WriteAllText(path, text);
            using (var plain = CommentTable.Open(path, quoted: false))
            {
                Assert.Equal(
                    ["plain", "\"So it begins", "harmless", "and there it ends\"", "last"], plain.Rows(["text"]).Select(row => row.Text("text")));
                Assert.Empty(plain.Warnings);
            }

            using var quoted = CommentTable.Open(path);
            Assert.Equal([2, 3, 6], quoted.Rows(["label"]).Select(row => row.Line));
            var warning = Assert.Single(quoted.Warnings);
            Assert.Equal("quotes-span-lines", warning.Code);
            Assert.Contains("a row spans several lines, the first from line 3 to 5", warning.Message, StringComparison.Ordinal);
            Assert.Contains("data.quoting: none", warning.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>A stray quote is fine, and does not hide what is wrong behind it.</summary>
    [Theory]
    [InlineData("a,b\nd \"e\" f,\"never closed\n1,2\n", "line 2: a quote that is never closed")]
    [InlineData("a,b\nd \"e,\"x\"y\n", "line 2: text after a closing quote")]
    [InlineData("a,b\n1,\"x\"\"", "line 2: a quote that is never closed")]
    public void EveryQuoteOfARowIsLookedAt(string text, string named) =>
        Assert.Contains(named, TemporaryFile.Fault(".csv", text).Message, StringComparison.Ordinal);

    [Fact]
    public void OnlyTheCellsThatAreAskedForAreKept()
    {
        using var scratch = new ScratchFolder();
        using var table = CommentTable.Open(scratch.WriteText("rows.csv", "id,text,n\n1,a,0.5\n2,b,\n"));
        Assert.Equal(["id", "text", "n"], table.Columns);
        var rows = table.Rows(["n", "id"]).ToArray();
        Assert.Equal(["0.5", ""], rows.Select(row => row.Text("n")));
        Assert.Equal(["1", "2"], rows.Select(row => row.Text("id")));
        Assert.Throws<InvalidOperationException>(() => rows[0].Text("text"));
        Assert.Contains("did you mean 'text'?", Assert.Throws<CheckpointException>(() => table.Rows(["texd"])).Message);
    }

    [SharedDataFact("data/comments/mlma_en.csv", "data/comments/davidson.csv", "data/comments/bias_madlibs_77k.csv")]
    public void RealFilesHaveAllTheirRows()
    {
        var mlma = CommentSet.Read(SharedData.PathOf("data/comments/mlma_en.csv"));
        Assert.Equal(5_647, mlma.Rows.Count);
        Assert.Equal(["HITId", "tweet", "sentiment", "directness", "annotator_sentiment", "target", "group"], mlma.Columns);

        var davidson = CommentSet.Read(SharedData.PathOf("data/comments/davidson.csv"));
        Assert.Equal(24_783, davidson.Rows.Count);
        Assert.Equal([0.0, 1.0, 2.0], davidson.Rows.Select(row => row.Value("class")!.Value).Distinct().Order());

        var madlibs = CommentSet.Read(SharedData.PathOf("data/comments/bias_madlibs_77k.csv"));
        Assert.Equal(76_564, madlibs.Rows.Count);
        var isBad = RowExpression.Parse("Label == 'BAD'", madlibs.Columns, "test");
        Assert.Equal(["BAD", "NOT_BAD"], madlibs.Rows.Select(row => row.Text("Label")).Distinct().Order(StringComparer.Ordinal));
        Assert.InRange(madlibs.Rows.Count(row => isBad.Test(row) == true), 1, madlibs.Rows.Count - 1);
    }
}
