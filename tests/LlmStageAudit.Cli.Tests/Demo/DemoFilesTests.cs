using System.Globalization;
using System.Text;
using System.Text.Json;
using LlmStageAudit.Cli.Demo;

namespace LlmStageAudit.Cli.Tests.Demo;

public sealed class DemoFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("demo-files-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Writes_every_set_with_its_default_size()
    {
        var paths = DemoFiles.Write(Path.Combine(_folder, "new"), 7);
        Assert.Equal(["forum", "helpdesk", "newsroom", "gaming"], paths.Stages.Select(stage => stage.Key));
        Assert.Equal(
            ["forum.csv", "gaming.csv", "helpdesk.csv", "newsroom.csv", "pretraining.jsonl", "probe.csv"],
            Directory.GetFiles(Path.Combine(_folder, "new")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        Assert.Equal(4000, File.ReadLines(paths.Pretraining).Count());
        Assert.All(paths.Stages, stage => Assert.Equal(601, ReadCsv(stage.Value).Count));
        Assert.Equal(601, ReadCsv(paths.Probe).Count);
    }

    [Fact]
    public void Csv_reads_back_as_the_comments()
    {
        var paths = DemoFiles.Write(_folder, 7, new DemoSizes { PretrainingTexts = 10, CommentsPerStage = 300, ProbeComments = 90 });
        var corpus = new DemoCorpus(7);
        var newsroom = paths.Stages.Single(stage => stage.Key == "newsroom").Value;
        Assert.Contains("\"\"", File.ReadAllText(newsroom));
        AssertSame(corpus.Stage("newsroom", 300), ReadCsv(newsroom));
        AssertSame(corpus.Probe(90), ReadCsv(paths.Probe));
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
        var paths = DemoFiles.Write(_folder, -3, new DemoSizes { PretrainingTexts = 500, CommentsPerStage = 2, ProbeComments = 3 });
        var rows = File.ReadLines(paths.Pretraining).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(new DemoCorpus(-3).PretrainingTexts(500), rows.Select(row => row.GetProperty("text").GetString()!));
        Assert.Equal(new DemoCorpus(-3).PretrainingPosts(500).Select(post => post.Reaction),
            rows.Select(row => row.GetProperty("reaction").GetString()!));
        Assert.Equal("pretraining-00500", rows[^1].GetProperty("id").GetString());
        Assert.Equal((byte)'{', File.ReadAllBytes(paths.Pretraining)[0]);
    }

    [Fact]
    public void Files_are_the_same_under_another_culture()
    {
        var sizes = new DemoSizes { PretrainingTexts = 50, CommentsPerStage = 50, ProbeComments = 30 };
        var here = DemoFiles.Write(Path.Combine(_folder, "here"), 7, sizes);
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("fa-IR");
            var there = DemoFiles.Write(Path.Combine(_folder, "there"), 7, sizes);
            Assert.Equal(File.ReadAllBytes(here.Pretraining), File.ReadAllBytes(there.Pretraining));
            Assert.Equal(File.ReadAllBytes(here.Probe), File.ReadAllBytes(there.Probe));
            Assert.Equal(File.ReadAllBytes(here.Stages[2].Value), File.ReadAllBytes(there.Stages[2].Value));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
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
