using System.Globalization;
using System.Text;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Tokenization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Tests.Comments;

/// <summary>Files that pyarrow wrote with the rows that it reads from them, and files that were damaged on purpose.</summary>
public sealed class ParquetTests
{
    private const string Folder = "data/parquet";
    private const string Manifest = $"{Folder}/manifest.jsonl";

    /// <summary>What a message about a file that cannot be read has to say.</summary>
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["string_invalid_utf8"] = "row 2, column 's': the byte 0xFF",
        ["bad_empty"] = "the file is empty",
        ["bad_4_bytes"] = "4 bytes are too short to be Parquet",
        ["bad_8_bytes"] = "8 bytes are too short to be Parquet",
        ["bad_footer_zero"] = "damaged footer",
        ["bad_truncated"] = "cut off or damaged: it begins as Parquet and does not end with PAR1; expected a whole Parquet file; download",
        ["bad_truncated_8"] = "cut off",
        ["bad_head_cut"] = "no Parquet file, which begins with PAR1; damaged",
        ["bad_magic_head"] = "no Parquet file",
        ["bad_magic_tail"] = "does not end with PAR1",
        ["bad_footer_length_large"] = "damaged footer: it says to have 2147483647 of the file's",
        ["bad_footer_length_negative"] = "damaged footer: it says to have 4294967295 of the file's",
        ["bad_footer_length_short"] = "damaged footer",
        ["bad_footer_noise"] = "damaged footer",
        ["bad_footer_zeros"] = "damaged footer",
        ["bad_footer_nested"] = "damaged footer",
        ["bad_footer_list_count"] = "damaged footer",
        ["bad_footer_string_length"] = "damaged footer",
        ["bad_page_crc"] = "column 'x': damaged page (",
        ["bad_page_zstd"] = ", column '",
        ["bad_page_snappy"] = ", column '",
        ["bad_page_header"] = ", column '",
        ["bad_dictionary_index"] = "column 'text': damaged page (",
        ["bad_page_size_negative"] = ", column '",
        ["bad_row_count"] = "damaged footer: it says 301 rows, and its parts 300",
        ["bad_value_count"] = "8191 values in 128 rows",
        ["bad_encrypted_footer"] = "an encrypted Parquet file",
        ["bad_encrypted_columns"] = "encrypted Parquet is not supported",
        ["other_arrow_ipc"] = "it is an Arrow file (Feather)",
        ["other_arrow_stream"] = "it is an Arrow stream",
        ["other_feather"] = "it is an Arrow file (Feather)",
        ["other_feather_v1"] = "(Feather)",
        ["other_csv"] = "it looks like text in columns (CSV); name it .csv",
        ["other_jsonl"] = "it looks like JSON lines; name it .jsonl",
        ["other_html"] = "a web page",
        ["other_lfs_pointer"] = "a Git LFS pointer",
        ["other_gzip"] = "a Parquet file, in gzip",
        ["other_zip"] = "a zip archive",
        ["other_orc"] = "an ORC file",
        ["other_sqlite"] = "a SQLite database",
        ["other_safetensors"] = "a safetensors file",
    };

    public static TheoryData<string> Readable => Files(isReadable: true);

    public static TheoryData<string> Unreadable => Files(isReadable: false);

    [SharedDataTheory(Manifest)]
    [MemberData(nameof(Readable))]
    public void Rows_are_those_that_pyarrow_reads(string name)
    {
        var columns = Entries().Single(entry => NameOf(entry) == name).GetProperty("columns").EnumerateArray()
            .ToLookup(column => column.GetProperty("name").GetString()!, column => column.GetProperty("arrow").GetString()!);
        var asked = columns.Where(column => column.Count() == 1).Select(column => column.Key).ToArray();
        using var table = CommentTable.Open(PathOf(name));
        Assert.Equal(columns.Select(column => column.Key), table.Columns);
        var expected = File.ReadLines(SharedData.PathOf($"{Folder}/{name}.jsonl")).Where(line => line.Length > 0).ToArray();
        var count = 0;
        foreach (var row in table.Rows(asked))
        {
            using var line = JsonDocument.Parse(expected[count++]);
            Assert.Equal(count, row.Number);
            foreach (var column in asked)
            {
                var value = line.RootElement.ValueKind == JsonValueKind.Array
                    ? line.RootElement.EnumerateArray().Single(pair => pair[0].GetString() == column)[1]
                    : line.RootElement.GetProperty(column);
                CheckCell(row, column, columns[column].Single(), value, isClass: name == "hf_classlabel" && column == "label");
            }
        }

        Assert.Equal(expected.Length, count);
    }

    [SharedDataTheory(Manifest)]
    [MemberData(nameof(Unreadable))]
    public void Other_files_are_refused_with_what_they_are_or_where_they_are_damaged(string name)
    {
        var fault = Assert.Throws<CheckpointException>(() => CommentSet.Read(PathOf(name)));
        Assert.Contains(Refused[name], fault.Message, StringComparison.Ordinal);
        Assert.StartsWith(PathOf(name), fault.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Input, fault.Kind);
    }

    [SharedDataTheory(Manifest)]
    [InlineData("bomb_zstd", 200, 1 << 20)]
    [InlineData("bomb_dictionary", 2_000_000, 10_000)]
    public void Files_that_unpack_to_gigabytes_are_walked_through_in_little_memory(string name, int rows, int length)
    {
        using var table = CommentTable.Open(PathOf(name));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var (count, highest) = (0, 0L);
        foreach (var row in table.Rows(["s"]))
        {
            Assert.Equal(length, row.Text("s")!.Length);
            if (count++ % 100_000 == 0) highest = Math.Max(highest, GC.GetTotalMemory(forceFullCollection: false) - before);
        }

        Assert.Equal(rows, count);
        Assert.InRange(highest, 0, 256 << 20);
    }

    [SharedDataFact(Manifest)]
    public void Classes_are_known_by_number_and_by_name()
    {
        using var table = CommentTable.Open(PathOf("hf_classlabel"));
        var named = RowExpression.Parse("label == 'neutral'", table.Columns, "test");
        var number = RowExpression.Parse("label == 1", table.Columns, "test");
        var plain = RowExpression.Parse("label", table.Columns, "test");
        var rows = table.Rows(["label"]).ToArray();
        var labels = File.ReadLines(SharedData.PathOf($"{Folder}/hf_classlabel.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("label").GetInt64())
            .Select(label => label < 0 ? (long?)null : label)
            .ToArray();
        Assert.Equal(labels, rows.Select(plain.Evaluate));
        Assert.Equal(rows.Select(number.Test), rows.Select(named.Test));
        Assert.Contains(true, rows.Select(named.Test));
        Assert.Contains(false, rows.Select(named.Test));
    }

    [SharedDataFact(Manifest)]
    public void A_name_that_stands_there_twice_cannot_be_asked_for()
    {
        using var table = CommentTable.Open(PathOf("duplicate_column"));
        Assert.Equal(2, table.Rows(["y"]).Count());
        Assert.Contains("'x' stands there twice", Assert.Throws<CheckpointException>(() => table.Rows(["x"]).Count()).Message);
    }

    [SharedDataFact(Manifest)]
    public void Bytes_say_that_a_file_is_parquet_whatever_it_is_called()
    {
        using var scratch = new ScratchFolder();
        using var table = CommentTable.Open(scratch.WriteBytes("rows.csv", File.ReadAllBytes(PathOf("required"))));
        Assert.Equal(3, table.Rows(["s"]).Count());
    }

    [SharedDataFact(Manifest)]
    public void A_list_of_messages_is_named_and_what_is_read_in_its_place()
    {
        using var table = CommentTable.Open(PathOf("hf_messages"));
        var row = table.Rows(["messages", "tags"]).First();
        var fault = Assert.Throws<CheckpointException>(() => row.Text("messages"));
        Assert.Contains("row 1, column 'messages': a list of chat messages, which is not read", fault.Message, StringComparison.Ordinal);
        Assert.Contains("data.completion", fault.Message, StringComparison.Ordinal);
        Assert.Contains("a list of texts", Assert.Throws<CheckpointException>(() => row.Text("tags")).Message);
    }

    private static void CheckCell(CommentRow row, string column, string type, JsonElement expected, bool isClass)
    {
        switch (expected.ValueKind)
        {
            case JsonValueKind.Null:
            case JsonValueKind.String when type is "float" or "double" or "halffloat":
            case JsonValueKind.Number when isClass && expected.GetInt64() == -1:
                if (IsRead(() => row.Text(column))) Assert.Null(row.Text(column));
                else Assert.Matches("^(list|large_list|fixed_size|struct|map)", type);
                break;
            case JsonValueKind.Number when type == "float":
                Assert.Equal((float)expected.GetDouble(), float.Parse(row.Text(column)!, CultureInfo.InvariantCulture));
                break;
            case JsonValueKind.Number when type == "halffloat":
                Assert.Equal((Half)expected.GetDouble(), Half.Parse(row.Text(column)!, CultureInfo.InvariantCulture));
                break;
            case JsonValueKind.Number when type == "double":
                Assert.Equal(expected.GetDouble(), double.Parse(row.Text(column)!, CultureInfo.InvariantCulture));
                break;
            case JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False:
                Assert.Equal(expected.GetRawText(), row.Text(column));
                break;
            case JsonValueKind.String:
                Assert.Equal(expected.GetString(), row.Text(column));
                break;
            case JsonValueKind.Object when expected.TryGetProperty("value", out var value) && expected.TryGetProperty("unit", out _):
                Assert.Equal(value.GetRawText(), row.Text(column));
                break;
            case JsonValueKind.Object when expected.TryGetProperty("base64", out var bytes):
                if (IsRead(() => row.Text(column))) Assert.Equal(bytes.GetBytesFromBase64(), Encoding.UTF8.GetBytes(row.Text(column)!));
                else Assert.True(type.StartsWith("fixed", StringComparison.Ordinal) || !IsUtf8(bytes.GetBytesFromBase64()));
                break;
            case JsonValueKind.Array when type.Contains(": int") && expected.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number):
                Assert.Equal(expected.EnumerateArray().Select(item => item.GetInt32()), row.Ids(column)!);
                break;
            default:
                Assert.False(IsRead(() => row.Text(column)) || IsRead(() => row.Ids(column)), $"{column}: {expected}");
                break;
        }
    }

    private static bool IsRead(Action read) => Record.Exception(read) is null;

    private static bool IsUtf8(byte[] bytes) => System.Text.Unicode.Utf8.IsValid(bytes);

    private static string PathOf(string name) => SharedData.PathOf($"{Folder}/{name}.parquet");

    private static string NameOf(JsonElement entry) => Path.GetFileNameWithoutExtension(entry.GetProperty("file").GetString()!);

    private static IEnumerable<JsonElement> Entries()
    {
        var path = SharedData.PathOf(Manifest);
        return File.Exists(path) ? File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement) : [];
    }

    private static TheoryData<string> Files(bool isReadable)
    {
        var data = new TheoryData<string>();
        foreach (var entry in Entries().Where(entry => entry.GetProperty("result").GetString() == "rows" == isReadable))
        {
            if (!NameOf(entry).StartsWith("bomb", StringComparison.Ordinal)) data.Add(NameOf(entry));
        }

        if (data.Count == 0) data.Add("none");
        return data;
    }
}
