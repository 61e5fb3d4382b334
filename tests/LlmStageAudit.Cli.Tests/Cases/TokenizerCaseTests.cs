using LlmStageAudit.Checkpoints.Tokenization;
using System.Diagnostics;
using System.Text.Json;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Cases;

/// <summary>Tokenizers of public reports: the ids are transformers', read back as logits of the ids written out.</summary>
public sealed class TokenizerCaseTests : IDisposable
{
    private const string Needs = "cases";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The end token after each text, the text cut on the left, eight in all: as tokenizer_config.json says.</summary>
    [SharedFact(Needs)]
    public void Tokenizer_config_ignored()
    {
        using var folder = new CaseFolder("tokenizer-config-ignored");
        var outcome = folder.Train();
        Assert.Contains("4 of 8 rows are longer than 8 tokens, and are cut", outcome.Error);
        CheckIds(folder, [14458, 581, 0], [2800, 5093, 4314, 7457, 3578, 19525, 13265, 0]);
    }

    /// <summary>As tokenizers does it: room for the template is kept, the text is cut, then the template is put around it.</summary>
    [SharedFact(Needs)]
    public void Truncation_drops_eos()
    {
        using var folder = new CaseFolder("truncation-drops-eos");
        var outcome = folder.Train();
        Assert.Contains("4 of 8 rows are longer than 6 tokens, and are cut", outcome.Error);
        CheckIds(folder, [14458, 581, 0], [531, 767, 1264, 1740, 2620, 0]);
    }

    /// <summary>A mark before the first word, as the scheme "first" asks; nothing is merged.</summary>
    [SharedFact(Needs)]
    public void Tokenizer_metaspace()
    {
        using var folder = new CaseFolder("tokenizer-metaspace");
        var file = folder.At("tokenizer.json");
        Assert.Equal(Letters(file, "\u2581hello"), Tokenize(file, "hello"));
        Assert.Equal(Letters(file, "\u2581hello\u2581you"), Tokenize(file, "hello you"));
    }

    /// <summary>The same file without the two blocks.</summary>
    [SharedFact(Needs)]
    public void Tokenizer_truncation_padding()
    {
        using var folder = new CaseFolder("tokenizer-truncation-padding");
        const string text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen";
        var plain = CaseFolder.Beside("_base", "text_model", "tokenizer.json");
        Assert.Equal(Tokenize(plain, text), Tokenize(folder.At("model", "tokenizer.json"), text));
    }

    /// <summary>The vocabulary has every byte, so nothing is unknown: "hello" is its five letters.</summary>
    [SharedFact(Needs)]
    public void Tokenizer_unk_not_in_vocab()
    {
        using var folder = new CaseFolder("tokenizer-unk-not-in-vocab");
        Assert.Equal(Letters(folder.At("tokenizer.json"), "hello"), Tokenize(folder.At("tokenizer.json"), "hello"));
    }

    /// <summary>The ids of single characters, from the file's vocabulary.</summary>
    private static IEnumerable<int> Letters(string tokenizer, string text)
    {
        var vocabulary = JsonReading.ReadFile(tokenizer).GetProperty("model").GetProperty("vocab");
        return text.Select(letter => vocabulary.Count(letter.ToString()));
    }

    /// <summary>The run's two kinds of text have the logits of these ids.</summary>
    private void CheckIds(CaseFolder folder, int[] shortText, int[] longText)
    {
        _folder.Write("ids.jsonl", $"{Row(shortText)}\n{Row(longText)}\n");
        var probe = _folder.Write("ids.yaml", "data: { path: ids.jsonl, ids: ids, label: label }\n");
        var expected = CaseModels.Logits("evaluate", folder.Out, "--probe", probe);
        var found = CaseModels.Logits("evaluate", folder.Out, "--probe", folder.At("probe.yaml"));
        CaseModels.CheckLogits([.. Enumerable.Range(0, found.Length).Select(row => expected[row % 2])], found, 1e-6);
        Assert.NotEqual(expected[0], expected[1]);

        static string Row(int[] ids) => JsonSerializer.Serialize(new { ids, label = 0 });
    }

    private static int[] Tokenize(string tokenizer, string text)
    {
        var before = Console.In;
        try
        {
            Console.SetIn(new StringReader(JsonSerializer.Serialize(new { text }) + "\n"));
            var outcome = CommandLine.Succeed("tokenize", "--tokenizer", tokenizer);
            return [.. outcome.Json.List("ids").Select(id => id.GetInt32())];
        }
        finally
        {
            Console.SetIn(before);
        }
    }

    /// <summary>Hundreds of thousands of one letter, of blanks, of combining marks: in seconds, and nothing lost.</summary>
    [SharedFact("cases/_fine/text-long-runs")]
    public void Long_runs_of_one_character()
    {
        var tokenizer = HuggingFaceTokenizer.Load(SharedData.At("data/pythia/tokenizer.json"));
        var watch = Stopwatch.StartNew();
        foreach (var line in File.ReadLines(CaseFolder.Beside("_fine", "text-long-runs", "a.jsonl")))
        {
            var text = JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!;
            Assert.Equal(text.Normalize(), tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false)));
        }

        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 60);
    }
}
