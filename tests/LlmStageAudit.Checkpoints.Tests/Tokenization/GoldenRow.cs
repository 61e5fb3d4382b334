using System.Text.Json;
using System.Text.RegularExpressions;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>What Hugging Face's tokenizers made of one text, from the shared data.</summary>
internal sealed partial record GoldenRow(string Text, int[] Ids, int[] IdsWithSpecial, string Decoded)
{
    public static List<GoldenRow> Read(string name) =>
        [.. File.ReadLines(SharedData.PathOf($"data/tokenizers/{name}.jsonl")).Select(Parse)];

    private static GoldenRow Parse(string line)
    {
        // System.Text.Json cannot hold the one lone surrogate; the tokenizer's own repair has a test of its own.
        using var row = JsonDocument.Parse(LoneSurrogateEscape().Replace(line, "\\ufffd"));
        return new GoldenRow(Text("text"), Ids("ids"), Ids("ids_with_special"), Text("decoded"));

        string Text(string name) => row.RootElement.GetProperty(name).GetString()!;
        int[] Ids(string name) => row.RootElement.GetProperty(name).EnumerateArray().Select(id => id.GetInt32()).ToArray();
    }

    [GeneratedRegex(@"\\ud83d(?!\\ud[c-f])")]
    private static partial Regex LoneSurrogateEscape();
}
