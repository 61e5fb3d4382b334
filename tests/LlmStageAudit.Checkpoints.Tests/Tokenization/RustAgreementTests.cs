using FsCheck.Xunit;
using LlmStageAudit.Checkpoints.Tests.Tokenization.Reference;
using LlmStageAudit.Checkpoints.Tokenization;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>
/// Ours and Hugging Face's tokenizers (Rust, in this process: its wrapper adds the template when it encodes and leaves special tokens
/// out when it decodes). A pattern that takes too long ends the process there, so it is given real tokenizer files only.
/// </summary>
public sealed class RustAgreementTests
{
    private static readonly Lazy<Pair> Pythia = new(() => new Pair("pythia"));
    private static readonly Lazy<Pair> Gemma = new(() => new Pair("gemma3"));

    [SharedDataFact("data/pythia/tokenizer.json", "data/tokenizers/pythia.jsonl")]
    public void PythiaAgrees() => AssertAgrees(Pythia.Value, "pythia", ["<|endoftext|>", "<|padding|>", "|>", new string(' ', 24)]);

    [SharedDataFact("data/gemma3/tokenizer.json", "data/tokenizers/gemma3.jsonl")]
    public void GemmaAgrees() => AssertAgrees(Gemma.Value, "gemma3", ["<bos>", "<start_of_turn>", "<unused7>", "<bo", "<0x41>", "\u2581"]);

    [SharedDataProperty("data/pythia/tokenizer.json", "data/gemma3/tokenizer.json")]
    public void BothAgreeOnAnyText(UnicodeText text)
    {
        Pythia.Value.AssertAgrees(text.Value);
        Gemma.Value.AssertAgrees(text.Value);
    }

    [Theory]
    [InlineData("always", true)]
    [InlineData("always", false)]
    [InlineData("first", true)]
    [InlineData("first", false)]
    [InlineData("never", true)]
    [InlineData("never", false)]
    public void MarksForSpacesAgree(string scheme, bool splits)
    {
        var path = Path.Combine(Path.GetTempPath(), $"tokenizer-{Guid.NewGuid():N}.json");
        try
        {
            File.WriteAllText(path, SampleTokenizers.Marked(scheme, splits).Json());
            var pair = new Pair($"{scheme} {splits}", HuggingFaceTokenizer.Load(path), new Tokenizers.DotNet.Tokenizer(path));
            string[] texts =
            [
                "", " ", "  ", "hello", " hello", "hello world", "hello  world ", "▁hello", "<x>hello", " <x> hello", "hello<x>",
                "<bos>hello w", "o o", "日 é", "\thello", "hello▁world", "<x><x> h",
            ];
            foreach (var text in texts) pair.AssertAgrees(text);
            foreach (var text in new GeneratedTexts(seed: 5, ["<bos>", "<x>", "▁", "hello"]).Take(200)) pair.AssertAgrees(text);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void AssertAgrees(Pair pair, string name, string[] tokens)
    {
        foreach (var row in GoldenRow.Read(name)) pair.AssertAgrees(row.Text);
        foreach (var text in new GeneratedTexts(seed: 20261128, tokens).Take(GeneratedTexts.Count)) pair.AssertAgrees(text);
    }

    private sealed class Pair(string name, HuggingFaceTokenizer ours, Tokenizers.DotNet.Tokenizer theirs)
    {
        public Pair(string name)
            : this(name, SampleTokenizers.All.Value[name], new(SharedData.PathOf($"data/{name}/tokenizer.json")))
        {
        }

        public void AssertAgrees(string text)
        {
            var expected = theirs.Encode(text);
            var ids = ours.Encode(text, addSpecialTokens: true);
            Assert.True(expected.Select(id => (int)id).SequenceEqual(ids), $"{name}: ids of {new UnicodeText(text)}");
            Assert.True(theirs.Decode(expected) == ours.Decode(ids, skipSpecialTokens: true), $"{name}: decoded {new UnicodeText(text)}");
        }
    }
}
