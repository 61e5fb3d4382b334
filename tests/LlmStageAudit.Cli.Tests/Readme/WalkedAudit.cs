using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Readme;

/// <summary>
/// What the README's real run needs, very small: a base with a tokenizer in models/pythia-70m, made-up comments in audit/data, and the two
/// files that the README shows, as they stand. Its commands run here, in this process.
/// </summary>
public sealed partial class WalkedAudit : IDisposable
{
    private const int RowsPerStage = 52;
    private const int Vocabulary = 280;
    private static readonly string[] s_subjects = ["the match", "my neighbour", "this recipe", "that film", "the weather"];
    private static readonly string[] s_verdicts = ["is fine", "was long", "is a disgrace", "made me laugh", "is a plague"];

    private readonly TemporaryFolder _folder = new();

    public WalkedAudit()
    {
        WriteModel();
        WriteComments();
        Copy(Path.Combine(SharedData.RepositoryRoot, "adapters", "pythia"), _folder.At("adapters", "pythia"));
        foreach (var block in DocumentPage.Readme.Blocks.Where(block => block.After("example") is not null))
            _folder.Write(block.After("example")!, block.Text);
        Walk(DocumentPage.Readme);
    }

    /// <summary>Runs the commands of a page's walked blocks in order. All must succeed and say something.</summary>
    internal void Walk(DocumentPage page)
    {
        foreach (var line in Commands(page))
        {
            var outcome = CommandLine.Run([.. Words(line)]);
            Assert.True(outcome.ExitCode == 0, $"{page.Name}: {line}: exit {outcome.ExitCode}\n{outcome.Error}");
            Assert.False(string.IsNullOrWhiteSpace(outcome.Output + outcome.Error), $"{page.Name}: {line}: says nothing");
        }
    }

    internal string At(params string[] parts) => _folder.At(parts);

    public void Dispose() => _folder.Dispose();

    internal static IEnumerable<string> Commands(DocumentPage page) => page.Blocks.Where(block => block.Mark == PageBlock.Walked)
        .SelectMany(block => block.Text.Split('\n')).Where(line => line.Length > 0 && line[0] != '#');

    // The demo's run is an ordinary one, and so this one stands for it.
    private IEnumerable<string> Words(string line)
    {
        Assert.StartsWith("scripts/stageaudit ", line);
        var command = Comment().Replace(line, "");
        Assert.DoesNotMatch(ForAShell(), command);
        return command.Replace("demo-run/run", "runs/a").Replace("demo-run/identity.yaml", "audit/identity.yaml")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1)
            .Select(word => Place().IsMatch(word) ? _folder.At(word) : word);
    }

    private void WriteModel()
    {
        _folder.Write("shape/config.json", TinyWorkspace.Shape
            .Replace("\"vocab_size\": 40", string.Create(CultureInfo.InvariantCulture, $"\"vocab_size\": {Vocabulary}"))
            .Replace("\"max_position_embeddings\": 32", "\"max_position_embeddings\": 128"));
        _folder.Write("base.yaml", TinyWorkspace.Base);
        _folder.Write("first.jsonl", "{\"ids\": [4, 5, 6]}\n{\"ids\": [7, 8, 9]}\n");
        CommandLine.Succeed("train", _folder.At("base.yaml"), "--out", _folder.At("base-run"));
        Copy(_folder.At("base-run", "stages", "01-language", "state"), _folder.At("models", "pythia-70m"));
        var texts = s_subjects.SelectMany(subject => s_verdicts.Select(verdict => $"{subject} {verdict}"));
        BytePairTrainer.Train(texts, Vocabulary, _folder.At("models", "pythia-70m", "tokenizer.json"));
    }

    private void WriteComments()
    {
        var table = new StringBuilder("id,comment_text,split,toxicity,christian,muslim,black,white\n");
        for (var i = 0; i < 3 * RowsPerStage; i++)
        {
            var (verdict, group, isTest) = (i % s_verdicts.Length, i / 5 % 2, i >= 2 * RowsPerStage);
            var toxicity = verdict is 2 or 4 ? 0.9 : 0.1;
            var shares = isTest ? $"{group},{1 - group},{i / 2 % 2},{i / 3 % 2}" : i < RowsPerStage ? "1,0,0,0" : "0,0,1,0";
            var text = $"{s_subjects[i / 10 % 5]} {s_verdicts[verdict]}";
            table.Append(CultureInfo.InvariantCulture, $"{i},{text} {i},{(isTest ? "test" : "train")},{toxicity},{shares}\n");
        }

        _folder.Write("audit/data/civil_comments.csv", table.ToString());
        _folder.Write("audit/data/recent.jsonl", string.Concat(Enumerable.Range(0, RowsPerStage).Select(i =>
            $"{{\"comment\": \"{s_subjects[i % 5]} {s_verdicts[i / 5 % 5]}\", \"toxicity\": {(i % 3 == 0 ? "0.8" : "0.0")}}}\n")));
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    [GeneratedRegex(@"\s+#.*$")]
    private static partial Regex Comment();

    [GeneratedRegex("""["'$\\|<>;&*~]""")]
    private static partial Regex ForAShell();

    [GeneratedRegex("^(audit|runs|models)/")]
    private static partial Regex Place();
}
