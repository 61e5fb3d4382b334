using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Cli.Demo;

/// <summary>The generated world as files that the other commands read: UTF-8 without a byte order mark, lines end in LF.</summary>
internal static class DemoFiles
{
    /// <summary>
    /// Writes <c>pretraining.jsonl</c>, one <c>STAGE.csv</c> per source and <c>probe.csv</c> into a folder, which is
    /// made where absent; files of these names are replaced. CSV columns: <c>id, text, label, identity</c> and one 0/1
    /// column per identity. The bytes depend on the seed and the sizes alone.
    /// </summary>
    public static DemoPaths Write(string folder, long seed, DemoSizes? sizes = null)
    {
        sizes ??= new DemoSizes();
        var root = Path.GetFullPath(folder);
        var corpus = new DemoCorpus(seed);

        var pretraining = Path.Combine(root, "pretraining.jsonl");
        AtomicFile.WriteText(pretraining, JsonLines(corpus.PretrainingPosts(sizes.PretrainingTexts)));

        var stages = new List<KeyValuePair<string, string>>();
        foreach (var name in DemoCorpus.StageNames)
        {
            var path = Path.Combine(root, $"{name}.csv");
            AtomicFile.WriteText(path, Csv(corpus.Stage(name, sizes.CommentsPerStage)));
            stages.Add(new(name, path));
        }

        var probe = Path.Combine(root, "probe.csv");
        AtomicFile.WriteText(probe, Csv(corpus.Probe(sizes.ProbeComments)));
        return new DemoPaths(pretraining, stages, probe);
    }

    /// <summary>The comments as one CSV text with a header line, quoted by RFC 4180.</summary>
    public static string Csv(IEnumerable<DemoComment> comments)
    {
        var csv = new StringBuilder("id,text,label,identity");
        foreach (var identity in DemoCorpus.Identities) csv.Append(',').Append(identity);
        csv.Append('\n');
        foreach (var comment in comments)
        {
            csv.Append(Field(comment.Id)).Append(',').Append(Field(comment.Text)).Append(',');
            csv.Append(comment.Toxic.ToString(CultureInfo.InvariantCulture)).Append(',').Append(Field(comment.Identity));
            foreach (var identity in DemoCorpus.Identities) csv.Append(comment.Identity == identity ? ",1" : ",0");
            csv.Append('\n');
        }

        return csv.ToString();
    }

    private static string Field(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string JsonLines(IReadOnlyList<(string Text, string Reaction)> posts)
    {
        // The default encoder would spell every apostrophe as an escape; these files are meant to be looked at.
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, options);
        for (var i = 0; i < posts.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("id", DemoCorpus.IdOf("pretraining", i));
            json.WriteString("text", posts[i].Text);
            json.WriteString("reaction", posts[i].Reaction);
            json.WriteEndObject();
            json.Flush();
            buffer.Write("\n"u8);
            json.Reset(buffer);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}

/// <summary>How many texts of each kind <see cref="DemoFiles"/> writes.</summary>
internal sealed record DemoSizes
{
    public int PretrainingTexts { get; init; } = 4000;

    public int CommentsPerStage { get; init; } = 600;

    public int ProbeComments { get; init; } = 600;
}

/// <summary>Where the generated files lie; every path is absolute.</summary>
/// <param name="Pretraining">JSON lines with <c>id</c>, <c>text</c> and <c>reaction</c>.</param>
/// <param name="Stages">One CSV file per source, in the order of <see cref="DemoCorpus.StageNames"/>.</param>
/// <param name="Probe">CSV file with the stages' columns.</param>
internal sealed record DemoPaths(string Pretraining, IReadOnlyList<KeyValuePair<string, string>> Stages, string Probe);
