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

    private static void AssertAgrees(Pair pair, string name, string[] tokens)
    {
        foreach (var row in GoldenRow.Read(name)) pair.AssertAgrees(row.Text);
        foreach (var text in new GeneratedTexts(seed: 20261128, tokens).Take(GeneratedTexts.Count)) pair.AssertAgrees(text);
    }

    private sealed class Pair(string name)
    {
        private readonly HuggingFaceTokenizer _ours = SampleTokenizers.All.Value[name];
        private readonly Tokenizers.DotNet.Tokenizer _theirs = new(SharedData.PathOf($"data/{name}/tokenizer.json"));

        public void AssertAgrees(string text)
        {
            var theirs = _theirs.Encode(text);
            var ours = _ours.Encode(text, addSpecialTokens: true);
            Assert.True(theirs.Select(id => (int)id).SequenceEqual(ours), $"{name}: ids of {new UnicodeText(text)}");
            Assert.True(_theirs.Decode(theirs) == _ours.Decode(ours, skipSpecialTokens: true), $"{name}: decoded {new UnicodeText(text)}");
        }
    }
}
