using System.Globalization;
using System.Text;
using System.Text.Json;
using LlmStageAudit.Cli.Demo;

namespace LlmStageAudit.Cli.Tests.Demo;

public sealed class DemoFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("demo-files-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    [Fact]
    public void Writes_every_set_and_csv_reads_back_as_the_comments()
    {
        var corpus = new DemoCorpus(7);
        DemoFiles.Write(At("new"), corpus);
        Assert.Equal(
            ["forum.csv", "gaming.csv", "helpdesk.csv", "newsroom.csv", "pretraining.jsonl", "probe.csv"],
            Directory.GetFiles(At("new")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        Assert.Equal(4000, File.ReadLines(At("new/pretraining.jsonl")).Count());
        Assert.Contains("\"\"", File.ReadAllText(At("new/newsroom.csv")));
        foreach (var name in DemoCorpus.StageNames) AssertSame(corpus.Stage(name, 600), ReadCsv(At($"new/{name}.csv")));
        AssertSame(corpus.Probe(600), ReadCsv(At("new/probe.csv")));
    }

    [Fact]
    public void Csv_quotes_what_must_be_quoted_and_nothing_else()
    {
        DemoComment[] comments =
        [
            new("a-1", "plain", 0, "", "t"), new("a-2", "one, \"two\"\nthree", 1, "muslim", "t"), new("a-3", "cr\rend", 0, "gay", "t"),
        ];
        Assert.Equal(
            "id,text,label,identity,muslim,christian,jewish,buddhist,atheist,gay,deaf,immigrant\n" +
            "a-1,plain,0,,0,0,0,0,0,0,0,0\n" +
            "a-2,\"one, \"\"two\"\"\nthree\",1,muslim,1,0,0,0,0,0,0,0\n" +
            "a-3,\"cr\rend\",0,gay,0,0,0,0,0,1,0,0\n",
            DemoFiles.Csv(comments));
    }

    [Fact]
    public void Json_lines_read_back_as_the_texts()
    {
        var corpus = new DemoCorpus(-3);
        DemoFiles.Write(_folder, corpus);
        var rows = File.ReadLines(At("pretraining.jsonl")).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(
            corpus.PretrainingPosts(4000),
            rows.Select(row => (row.GetProperty("text").GetString()!, row.GetProperty("reaction").GetString()!)));
        Assert.Equal("pretraining-04000", rows[^1].GetProperty("id").GetString());
        Assert.Equal((byte)'{', File.ReadAllBytes(At("pretraining.jsonl"))[0]);
    }

    [Fact]
    public void Files_are_the_same_under_another_culture()
    {
        DemoFiles.Write(At("here"), new DemoCorpus(7));
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("fa-IR");
            DemoFiles.Write(At("there"), new DemoCorpus(7));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        foreach (var path in Directory.GetFiles(At("here")))
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(At($"there/{Path.GetFileName(path)}")));
    }

    private static void AssertSame(IReadOnlyList<DemoComment> comments, List<string[]> rows)
    {
        Assert.Equal(comments.Count + 1, rows.Count);
        for (var i = 0; i < comments.Count; i++)
        {
            var row = rows[i + 1];
            string[] expected = [comments[i].Id, comments[i].Text, comments[i].Toxic == 1 ? "1" : "0", comments[i].Identity];
            Assert.Equal(expected, row[..4]);
            Assert.Equal(DemoCorpus.Identities.Select(identity => identity == comments[i].Identity ? "1" : "0"), row[4..]);
        }
    }

    /// <summary>RFC 4180, written apart from the code under test.</summary>
    private static List<string[]> ReadCsv(string path)
    {
        var rows = new List<string[]>();
        var row = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        var text = File.ReadAllText(path);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quoted && c == '"' && i + 1 < text.Length && text[i + 1] == '"') field.Append(text[i++]);
            else if (c == '"') quoted = !quoted;
            else if (quoted || c is not (',' or '\n')) field.Append(c);
            else
            {
                row.Add(field.ToString());
                field.Clear();
                if (c != '\n') continue;
                rows.Add([.. row]);
                row.Clear();
            }
        }

        Assert.False(quoted);
        Assert.Equal(0, field.Length);
        return rows;
    }
}
