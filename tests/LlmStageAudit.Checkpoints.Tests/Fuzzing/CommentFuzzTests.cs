using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Tokenization;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Checkpoints.Tests.Fuzzing;

public sealed class CommentFuzzTests : IDisposable
{
    private static readonly byte[] Table =
        Encoding.UTF8.GetBytes("id,text,n\n1,\"a, \"\"b\"\"\nc\",0.5\n2,d \u00e9 \ud83d\ude00,\n3,\"\",-1\n");

    private static readonly byte[][] Lines =
    [
        .. new[]
            {
                """{"id":"1","text":"a \u00e9","ids":[1,2,3],"label":1}""",
                """{"id":2,"text":null,"more":{"x":[1]}}""",
                """{"ids":[]}""",
            }
            .Select(Encoding.UTF8.GetBytes),
    ];

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>Cells, lines and refusals are those of a parser that goes through the text character by character.</summary>
    [Fact]
    public void Damaged_tables_are_read_as_a_plain_parser_reads_them_or_refused() => new FuzzCampaign("comments (csv)", 60_000).Run(
        MutatedTable,
        bytes => CheckSame(CommentSet.Read(_scratch.WriteBytes("fuzz.csv", bytes)), Encoding.UTF8.GetString(bytes), quoted: true),
        bytes => !Utf8.IsValid(bytes) || PlainCsv.Rows(Encoding.UTF8.GetString(bytes), ',') is not [_, ..],
        bytes => FileSignature.Of(bytes) is null && Utf8.IsValid(bytes) && IsWhole(Encoding.UTF8.GetString(bytes)));

    [Fact]
    public void Damaged_tables_without_quotes_are_read_line_by_line_or_refused() => new FuzzCampaign("comments (plain tsv)", 20_000).Run(
        random => [.. MutatedTable(random).Select(value => value == ',' ? (byte)'\t' : value)],
        bytes =>
        {
            var path = _scratch.WriteBytes("fuzz.tsv", bytes);
            using var table = CommentTable.Open(path, quoted: false);
            var rows = table.Rows(table.Columns).ToArray();
            var lines = Encoding.UTF8.GetString(bytes).TrimStart('\uFEFF').Split(["\r\n", "\n", "\r"], StringSplitOptions.None)
                .Select(line => line.Split('\t')).Where(fields => fields is not [""]).Skip(1).ToArray();
            Assert.Equal(lines, rows.Select(row => table.Columns.Select(column => row.Text(column)!).ToArray()));
        },
        bytes => !Utf8.IsValid(bytes));

    /// <summary>
    /// What loads was JSON in every line, but for Python's words, and a list of integers or a text is read as one of the two.
    /// </summary>
    [Fact]
    public void Damaged_json_lines_are_read_or_refused() => new FuzzCampaign("comments (jsonl)", 50_000).Run(
        random =>
        {
            var damaged = random.Next(Lines.Length);
            return [.. Lines.SelectMany((line, i) => (byte[])[.. i == damaged ? JsonMutator.Mutate(line, random) : line, (byte)'\n'])];
        },
        bytes => CheckSound(CommentSet.Read(_scratch.WriteBytes("fuzz.jsonl", bytes)), bytes),
        bytes => Encoding.UTF8.GetString(bytes)
            .Split('\n', '\r')
            .Any(line => !string.IsNullOrWhiteSpace(line.Trim('\uFEFF')) && !IsJson(line)));

    /// <summary>What loads are all the rows: gzip has a checksum, and a length.</summary>
    [Fact]
    public void Damaged_gzip_is_read_whole_or_refused() => new FuzzCampaign("comments (gzip)", 20_000).Run(
        random => random.Next(20) == 0 ? Gzip(Table) : JsonMutator.ChangeBytes(Gzip(Table), random),
        bytes =>
        {
            var set = CommentSet.Read(_scratch.WriteBytes("fuzz.csv.gz", bytes));
            // Behind the first member may lie anything, another one too; and what does not begin as gzip is a text, if it is one.
            if (bytes is [0x1F, 0x8B, ..]) Assert.Equal(["1", "2", "3"], set.Rows.Take(3).Select(row => row.Text("id")));
        },
        _ => false);

    /// <summary>What loads has the rows its footer says, and no cell is read twice in two ways; the process lives on.</summary>
    [SharedDataFact("data/parquet/manifest.jsonl")]
    public void Damaged_parquet_is_read_or_refused()
    {
        var files = new[] { "hf_classlabel", "messages", "pages_v2", "dictionary_strings", "input_ids", "decimals", "page_index", "nested_nulls" }
            .Select(name => File.ReadAllBytes(SharedData.PathOf($"data/parquet/{name}.parquet")))
            .ToArray();
        new FuzzCampaign("comments (parquet)", 40_000, mostBytes: 64 << 20).Run(
            random =>
            {
                var bytes = (byte[])files[random.Next(files.Length)].Clone();
                // Most of a small file is data, and most that can be wrong is in the footer.
                var from = random.Next(2) == 0 ? 4 : Math.Max(4, bytes.Length - 8 - (int)BitConverter.ToUInt32(bytes, bytes.Length - 8));
                for (var count = random.Next(4); count > 0; count--) bytes[from + random.Next(bytes.Length - from)] = (byte)random.Next(256);
                return bytes;
            },
            bytes =>
            {
                var path = _scratch.WriteBytes("fuzz.parquet", bytes);
                var (first, second) = (CommentSet.Read(path), CommentSet.Read(path));
                Assert.Equal(first.Rows.Count, second.Rows.Count);
                Assert.Equal(Enumerable.Range(1, first.Rows.Count), first.Rows.Select(row => row.Number));
                foreach (var (one, other) in first.Rows.Zip(second.Rows))
                    Assert.All(first.Columns, column => Assert.Equal(Shown(one, column), Shown(other, column)));
            },
            _ => false);
    }

    private static string Shown(CommentRow row, string column)
    {
        try
        {
            return row.Text(column) ?? "null";
        }
        catch (CheckpointException fault)
        {
            return fault.Message;
        }
    }

    private static byte[] MutatedTable(StableRandom random)
    {
        var bytes = Table;
        for (var count = 1 + random.Next(4); count > 0; count--) bytes = JsonMutator.ChangeBytes(bytes, random);
        return bytes;
    }

    private static byte[] Gzip(byte[] content)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(content);
        return bytes.ToArray();
    }

    private static void CheckSame(CommentSet set, string text, bool quoted)
    {
        var rows = PlainCsv.Rows(text, quoted ? ',' : '\t')!;
        Assert.Equal(rows[0].Fields, set.Columns);
        Assert.Equal(rows.Skip(1).Select(row => row.Line), set.Rows.Select(row => row.Line));
        Assert.Equal(rows.Skip(1).Select(row => row.Fields), set.Rows.Select(row => set.Columns.Select(column => row.Text(column)!).ToArray()));
    }

    /// <summary>Whether a table keeps all the rules: names that are there and differ, and as many fields in each row.</summary>
    private static bool IsWhole(string text) =>
        PlainCsv.Rows(text, ',') is [var header, .. var rows]
        && header.Fields.Skip(1).All(name => name.Length > 0)
        && header.Fields.Distinct().Count() == header.Fields.Length
        && (header.Fields.Length > 1 || header.Fields[0].IndexOfAny([';', '\t', '|', '{']) < 0)
        && rows.All(row => row.Fields.Length == header.Fields.Length)
        && !text.TrimStart('\uFEFF').StartsWith("{\"", StringComparison.Ordinal);

    private static void CheckSound(CommentSet set, byte[] bytes)
    {
        var last = 0;
        foreach (var row in set.Rows)
        {
            Assert.InRange(row.Line, last + 1, bytes.Length + 1);
            last = row.Line;
            foreach (var column in set.Columns)
            {
                // A list is an error where a text is asked for, and the other way round.
                var asText = Record.Exception(() => row.Value(column));
                var asIds = Record.Exception(() => row.Ids(column));
                Assert.True(asText is null or CheckpointException && asIds is null or CheckpointException);
            }
        }
    }

    private static bool IsJson(string line)
    {
        try
        {
            JsonDocument.Parse(line.Trim('\uFEFF').Replace("-Infinity", "null").Replace("Infinity", "null").Replace("NaN", "null")).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
