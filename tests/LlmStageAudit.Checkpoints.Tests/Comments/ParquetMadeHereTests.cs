using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Testing.Fuzzing;
using ParquetSharp;

namespace LlmStageAudit.Checkpoints.Tests.Comments;

/// <summary>What no file at hand shows, in files that are made for it.</summary>
public sealed class ParquetMadeHereTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>As datasets has it: a class of -1 is no label.</summary>
    [Fact]
    public void A_class_below_zero_is_missing_and_a_name_stands_for_its_number()
    {
        const string noted = """{"info":{"features":{"label":{"names":["fine","toxic"],"_type":"ClassLabel"}}}}""";
        using var table = CommentTable.Open(Write(noted, [1, -1, 0, null]));
        var named = RowExpression.Parse("label == 'toxic'", table.Columns, "test");
        var plain = RowExpression.Parse("label", table.Columns, "test");
        var rows = table.Rows(["label"]).ToArray();
        Assert.Equal([true, null, false, null], rows.Select(named.Test));
        Assert.Equal([1, null, 0, null], rows.Select(plain.Evaluate));
        Assert.Empty(table.Warnings);
    }

    [Theory]
    [InlineData("{\"info\":")]
    [InlineData("{\"info\":{}}")]
    [InlineData("[]")]
    public void A_damaged_note_of_classes_is_told_and_their_numbers_stay(string noted)
    {
        using var table = CommentTable.Open(Write(noted, [1, -1]));
        Assert.Equal(["1", "-1"], table.Rows(["label"]).Select(row => row.Text("label")));
        Assert.Equal("class-names-unread", Assert.Single(table.Warnings).Code);
    }

    /// <summary>Groups within groups, each with the next as its only child, which the library would follow on the stack.</summary>
    [Fact]
    public void A_schema_without_bottom_never_comes_to_the_library()
    {
        const int elements = 60_000;
        byte[] footer =
        [
            0x15, 0x02, 0x19, 0xFC, (elements & 0x7F) | 0x80, ((elements >> 7) & 0x7F) | 0x80, elements >> 14,
            .. Enumerable.Repeat<byte[]>([0x55, 0x02, 0x00], elements).SelectMany(element => element),
            0x00,
        ];
        var path = _scratch.WriteBytes("deep.parquet", [.. "PAR1"u8, .. footer, .. BitConverter.GetBytes(footer.Length), .. "PAR1"u8]);
        var fault = Bounded.Record(() => CommentTable.Open(path).Dispose(), 4 << 20);
        Assert.Contains("a damaged footer (a schema more than 32 levels deep)", Assert.IsType<CheckpointException>(fault).Message);
    }

    private string Write(string noted, int?[] labels)
    {
        var path = _scratch["made.parquet"];
        var metadata = new Dictionary<string, string> { ["huggingface"] = noted };
        using var writer = new ParquetFileWriter(path, [new Column<int?>("label")], Compression.Snappy, metadata);
        using (var group = writer.AppendRowGroup())
        using (var column = group.NextColumn().LogicalWriter<int?>())
            column.WriteBatch(labels);
        writer.Close();
        return path;
    }
}
