using System.Text;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
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

    /// <summary>What loads has a cell for every column of every row, and rows begin one after the other.</summary>
    [Fact]
    public void Damaged_tables_are_read_or_refused() => new FuzzCampaign("comments (csv)", 50_000).Run(
        random =>
        {
            var bytes = Table;
            for (var count = 1 + random.Next(4); count > 0; count--) bytes = JsonMutator.ChangeBytes(bytes, random);
            return bytes;
        },
        bytes =>
        {
            var set = CommentSet.Read(_scratch.WriteBytes("fuzz.csv", bytes));
            CheckSound(set, bytes);
            Assert.All(set.Rows, row => Assert.All(set.Columns, column => Assert.NotNull(row.Text(column))));
        },
        bytes => bytes.Length == 0);

    /// <summary>What loads was JSON in every line, and a list of integers or a text is read as one of the two.</summary>
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
            JsonDocument.Parse(line.Trim('\uFEFF')).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
