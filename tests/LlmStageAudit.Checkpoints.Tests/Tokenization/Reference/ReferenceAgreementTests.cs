using System.Text.Json;
using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Checkpoints.Tokenization;
using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization.Reference;

/// <summary>Ours and Hugging Face's tokenizers side by side, on texts nobody would write.</summary>
public sealed class ReferenceAgreementTests
{
    private static readonly string[] PythiaTokens = ["<|endoftext|>", "<|padding|>", "<|endoftext", "|>", new string(' ', 24)];

    [ReferenceFact("data/pythia/tokenizer.json")]
    public void PythiaAgreesOnGeneratedTexts() => AssertAgrees("pythia", PythiaTokens);

    [ReferenceFact("data/gemma3/tokenizer.json")]
    public void GemmaAgreesOnGeneratedTexts() =>
        AssertAgrees("gemma3", ["<bos>", "<eos>", "<start_of_turn>", "<unused7>", "<bo", "\n\n\n", "<0x41>", "\u2581", "</table>"]);

    [ReferenceTheory("data/pythia/tokenizer.json")]
    [InlineData("normalizer", """{"type":"NFD"}""")]
    [InlineData("normalizer", """{"type":"NFKC"}""")]
    [InlineData("normalizer", """{"type":"NFKD"}""")]
    [InlineData("normalizer", """{"type":"Lowercase"}""")]
    [InlineData("normalizer", """{"type":"Replace","pattern":{"Regex":"\\p{L}{2,3}"},"content":"é😀"}""")]
    [InlineData(
        "normalizer",
        """
        {"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"_x"},{"type":"NFKD"},
         {"type":"Replace","pattern":{"String":" "},"content":"__"},{"type":"NFC"},{"type":"Lowercase"}]}
        """)]
    [InlineData("pre_tokenizer", """{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true}""")]
    [InlineData(
        "pre_tokenizer",
        """
        {"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},
         {"type":"Split","pattern":{"Regex":"\\s+"},"behavior":"Removed","invert":false},
         {"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":false},
         {"type":"Digits","individual_digits":false}]}
        """)]
    [InlineData("post_processor", """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""")]
    public void OtherStepsAgreeOnGeneratedTexts(string step, string value)
    {
        var json = JsonNode.Parse(File.ReadAllText(SharedData.PathOf("data/pythia/tokenizer.json")))!;
        json[step] = JsonNode.Parse(value);
        using var scratch = new ScratchFolder();
        var path = scratch.WriteText("tokenizer.json", json.ToJsonString());
        AssertAgrees(HuggingFaceTokenizer.Load(path), path, PythiaTokens, GeneratedTexts.Count / 5);
    }

    private static void AssertAgrees(string name, string[] tokens) =>
        AssertAgrees(SampleTokenizers.All.Value[name], SharedData.PathOf($"data/{name}/tokenizer.json"), tokens, GeneratedTexts.Count);

    private static void AssertAgrees(HuggingFaceTokenizer tokenizer, string path, string[] tokens, int count)
    {
        var texts = new GeneratedTexts(seed: 20261122, tokens).Take(count);
        Assert.Equal(count, texts.Count);
        var answers = ReferenceTokenizers.Encode(path, texts);
        for (var i = 0; i < texts.Count; i++)
        {
            var shown = $"text {i}: {Escaped(texts[i])}";
            var ids = tokenizer.Encode(texts[i], addSpecialTokens: false);
            Assert.True(answers[i].Ids.SequenceEqual(ids), $"ids of {shown}: {Difference(answers[i].Ids, ids)}");
            var offsets = tokenizer.EncodeWithOffsets(texts[i], addSpecialTokens: false).SelectMany(token => CodePoints(texts[i], token));
            var expected = answers[i].Offsets.SelectMany(static offset => offset).ToArray();
            Assert.True(expected.SequenceEqual(offsets), $"offsets of {shown}: {Difference(expected, [.. offsets])}");
            var special = tokenizer.Encode(texts[i], addSpecialTokens: true);
            Assert.True(answers[i].Special.SequenceEqual(special), $"special ids of {shown}: {Difference(answers[i].Special, special)}");
            var decoded = tokenizer.Decode(ids, skipSpecialTokens: false);
            Assert.True(answers[i].Decoded == decoded, $"decoded {shown}: {Escaped(decoded)}, expected {Escaped(answers[i].Decoded)}");
        }
    }

    private static int[] CodePoints(string text, EncodedToken token) =>
    [
        text.AsSpan(0, token.Offset.Start.Value).ToString().EnumerateRunes().Count(),
        text.AsSpan(0, token.Offset.End.Value).ToString().EnumerateRunes().Count(),
    ];

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
