using System.Text.Json;
using System.Text.RegularExpressions;
using LlmStageAudit.Checkpoints.Tokenization;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>Ids and decoded texts that Hugging Face tokenizers computed, for real tokenizer files.</summary>
public sealed partial class HuggingFaceParityTests
{
    [SharedDataFact("data/pythia/tokenizer.json", "data/tokenizers/pythia.jsonl")]
    public void PythiaAgreesOnEveryLine() => AssertAgrees("pythia");

    [SharedDataFact("data/gemma3/tokenizer.json", "data/tokenizers/gemma3.jsonl")]
    public void GemmaAgreesOnEveryLine() => AssertAgrees("gemma3");

    private static void AssertAgrees(string name)
    {
        var tokenizer = HuggingFaceTokenizer.Load(SharedData.PathOf($"data/{name}/tokenizer.json"));
        var number = 0;
        foreach (var line in File.ReadLines(SharedData.PathOf($"data/tokenizers/{name}.jsonl")))
        {
            number++;

            // System.Text.Json cannot hold the one lone surrogate; the tokenizer's own repair has a test of its own.
            using var row = JsonDocument.Parse(LoneSurrogateEscape().Replace(line, "\\ufffd"));
            var text = row.RootElement.GetProperty("text").GetString()!;
            var ids = Ids(row, "ids");
            Assert.True(ids.SequenceEqual(tokenizer.Encode(text, addSpecialTokens: false)), $"{name} line {number}: ids");
            var withSpecial = tokenizer.Encode(text, addSpecialTokens: true);
            Assert.True(Ids(row, "ids_with_special").SequenceEqual(withSpecial), $"{name} line {number}: special");
            var decoded = tokenizer.Decode(ids, skipSpecialTokens: false);
            Assert.True(row.RootElement.GetProperty("decoded").GetString() == decoded, $"{name} line {number}: decoded");
        }

        Assert.Equal(448, number);
    }

    private static int[] Ids(JsonDocument row, string name) =>
        row.RootElement.GetProperty(name).EnumerateArray().Select(id => id.GetInt32()).ToArray();

    [GeneratedRegex(@"\\ud83d(?!\\ud[c-f])")]
    private static partial Regex LoneSurrogateEscape();
}
