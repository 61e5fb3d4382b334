using System.Text.Encodings.Web;
using System.Text.Json;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Cli.Demo;

/// <summary>The generated world as files that the other commands read: UTF-8 without a byte order mark, lines end in LF.</summary>
internal static class DemoFiles
{
    public const int PretrainingTexts = 4000;
    public const int CommentsPerSet = 600;

    /// <summary>The default encoder would spell every apostrophe as an escape; these files are meant to be looked at.</summary>
    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Writes <c>pretraining.jsonl</c> (<c>id, text, reaction</c>), one <c>STAGE.csv</c> per source and <c>probe.csv</c> into a folder,
    /// which is made where absent; files of these names are replaced.
    /// </summary>
    public static void Write(string folder, DemoCorpus corpus)
    {
        var posts = corpus.PretrainingPosts(PretrainingTexts)
            .Select((post, i) => new { id = DemoCorpus.IdOf("pretraining", i), text = post.Text, reaction = post.Reaction });
        AtomicFile.WriteText(
            Path.Combine(folder, "pretraining.jsonl"),
            string.Concat(posts.Select(post => JsonSerializer.Serialize(post, s_readable) + "\n")));
        foreach (var name in DemoCorpus.StageNames)
            AtomicFile.WriteText(Path.Combine(folder, $"{name}.csv"), Csv(corpus.Stage(name, CommentsPerSet)));
        AtomicFile.WriteText(Path.Combine(folder, "probe.csv"), Csv(corpus.Probe(CommentsPerSet)));
    }

    /// <summary>
    /// The comments as one CSV text, quoted by RFC 4180: a header line, then <c>id, text, label, identity</c> and one 0/1 column per
    /// identity.
    /// </summary>
    public static string Csv(IEnumerable<DemoComment> comments)
    {
        IEnumerable<string> header = ["id", "text", "label", "identity", .. DemoCorpus.Identities];
        var rows = comments.Select(comment => (IEnumerable<string>)
        [
            comment.Id, comment.Text, $"{comment.Toxic}", comment.Identity,
            .. DemoCorpus.Identities.Select(identity => comment.Identity == identity ? "1" : "0"),
        ]);
        return string.Concat(rows.Prepend(header).Select(row => string.Join(',', row.Select(Field)) + "\n"));
    }

    private static string Field(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
