using System.Text.Json;
using LlmStageAudit.Checkpoints.Tokenization;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization.Reference;

/// <summary>Ours and Hugging Face's tokenizers side by side, on texts nobody would write.</summary>
public sealed class ReferenceAgreementTests
{
    private const int Texts = 10_000;

    [ReferenceFact("data/pythia/tokenizer.json")]
    public void PythiaAgreesOnGeneratedTexts() =>
        AssertAgrees("data/pythia/tokenizer.json", ["<|endoftext|>", "<|padding|>", "<|endoftext", "|>", new string(' ', 24)]);

    [ReferenceFact("data/gemma3/tokenizer.json")]
    public void GemmaAgreesOnGeneratedTexts() =>
        AssertAgrees(
            "data/gemma3/tokenizer.json",
            ["<bos>", "<eos>", "<start_of_turn>", "<unused7>", "<bo", "\n\n\n", "<0x41>", "\u2581", "</table>"]);

    private static void AssertAgrees(string file, string[] tokens)
    {
        var path = SharedData.PathOf(file);
        var texts = new GeneratedTexts(seed: 20261122, tokens).Take(Texts);
        Assert.Equal(Texts, texts.Count);
        var answers = ReferenceTokenizers.Encode(path, texts);
        var tokenizer = HuggingFaceTokenizer.Load(path);
        for (var i = 0; i < texts.Count; i++)
        {
            var shown = $"text {i}: {Escaped(texts[i])}";
            var ids = tokenizer.Encode(texts[i], addSpecialTokens: false);
            Assert.True(answers[i].Ids.SequenceEqual(ids), $"ids of {shown}: {Difference(answers[i].Ids, ids)}");
            var special = tokenizer.Encode(texts[i], addSpecialTokens: true);
            Assert.True(answers[i].Special.SequenceEqual(special), $"special ids of {shown}: {Difference(answers[i].Special, special)}");
            var decoded = tokenizer.Decode(ids, skipSpecialTokens: false);
            Assert.True(answers[i].Decoded == decoded, $"decoded {shown}: {Escaped(decoded)}, expected {Escaped(answers[i].Decoded)}");
        }
    }

    private static string Difference(int[] expected, int[] found)
    {
        var at = expected.Zip(found).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"from position {at} on [{Shown(found, at)}], expected [{Shown(expected, at)}]";
    }

    private static string Shown(int[] ids, int from) => string.Join(", ", ids.Skip(from).Take(8));

    private static string Escaped(string text) =>
        JsonSerializer.Serialize(text.Length <= 400 ? text : text[..400])
        + (text.Length <= 400 ? "" : $" (the first 400 of {text.Length})");
}
