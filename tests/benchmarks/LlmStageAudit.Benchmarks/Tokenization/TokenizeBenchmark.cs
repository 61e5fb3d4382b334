using System.Text;
using LlmStageAudit.Checkpoints.Comments;

namespace LlmStageAudit.Benchmarks.Tokenization;

/// <summary>Throughput of our tokenizer and of Hugging Face's (Rust, through its Node binding), interleaved in one run.</summary>
internal static class TokenizeBenchmark
{
    private const int Texts = 1000;
    private const int Rounds = 9;

    public static void Run()
    {
        var comments = CommentSet.Read(Repository.Shared("data/comments/wikipedia_toxicity.csv"));
        var texts = comments.Rows.Take(Texts).Select(row => row.Text("comment") ?? "").ToList();
        var megabytes = texts.Sum(Encoding.UTF8.GetByteCount) / 1e6;
        var rows = new List<string[]>();
        var versions = "";
        foreach (var (name, file) in new[] { ("Pythia", "data/pythia/tokenizer.json"), ("Gemma 3", "data/gemma3/tokenizer.json") })
        {
            var path = Repository.Shared(file);
            using var theirs = new ReferenceSide(path, texts);
            var ours = new OurSide(path, texts);
            var measured = new List<(string Pass, Pass Ours, Pass Theirs, Pass? Batch)>();
            for (var round = 0; round <= Rounds; round++)
            {
                var kind = round == 0 ? "first in the process" : "new tokenizer";
                measured.Add((kind, ours.Measure(fresh: true), theirs.Measure("fresh"), null));
                kind = round == 0 ? "discarded" : "same texts again";
                measured.Add((kind, ours.Measure(fresh: false), theirs.Measure("again"), theirs.Measure("batch")));
            }

            var wrong = measured.Any(m => (m.Ours.Tokens, m.Ours.Checksum) != (m.Theirs.Tokens, m.Theirs.Checksum));
            if (wrong) throw new InvalidOperationException($"{name}: the two tokenizers do not agree");
            versions = measured[0].Theirs.Versions;
            foreach (var passes in measured.Where(m => m.Pass != "discarded").GroupBy(m => m.Pass))
            {
                var our = passes.Select(m => megabytes / m.Ours.Seconds).ToList();
                var their = passes.Select(m => megabytes / m.Theirs.Seconds).ToList();
                var batch = passes.Where(m => m.Batch is not null).Select(m => megabytes / m.Batch!.Seconds).ToList();
                rows.Add(
                [
                    name, passes.Key, our.Spread("F2"), their.Spread("F2"), batch.Count == 0 ? "" : batch.Spread("F2"),
                    (our.Median() / their.Median()).Shown("F2"), batch.Count == 0 ? "" : (our.Median() / batch.Median()).Shown("F2"),
                ]);
            }
        }

        new ResultFile("tokenize", "Tokenizer throughput beside Hugging Face's")
            .Paragraph(
                $"The first {Texts} Wikipedia talk comments ({megabytes.Shown("F2")} MB of UTF-8), one thread on each side, both sides in "
                + $"turn within one run, {Rounds} rounds after the first; megabytes a second as median (least to most). "
                + "Both sides gave the same ids.")
            .Paragraph(
                "Ours is a call of `Encode` for each text, from string to array of ids. Hugging Face's is Rust behind a Node binding: "
                + "an `await tokenizer.encode` for each text and its ids as an array, so that the binding (strings to UTF-8, a task on a "
                + "worker thread, ids to JavaScript numbers) lies inside the timing; \"batch\" is one `encodeBatch` call for all texts, "
                + "which pays for the task once. Loading tokenizer.json is outside.")
            .Paragraph(
                "First in the process: nothing is compiled or cached. New tokenizer: the process is warm, the cache of pieces is empty, as "
                + "for texts never seen. Same texts again: the cache has seen them. A ratio above 1 means that ours is faster; the aim is "
                + "at least 0.5.")
            .Table(["Tokenizer", "Pass", "Ours, MB/s", "Theirs, MB/s", "Theirs, batch", "Ratio", "Ratio to batch"], rows)
            .Write(versions);
    }
}
