namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>Ids and decoded texts that Hugging Face tokenizers computed, for real tokenizer files.</summary>
public sealed class HuggingFaceParityTests
{
    [SharedDataFact("data/pythia/tokenizer.json", "data/tokenizers/pythia.jsonl")]
    public void PythiaAgreesOnEveryLine() => AssertAgrees("pythia");

    [SharedDataFact("data/gemma3/tokenizer.json", "data/tokenizers/gemma3.jsonl")]
    public void GemmaAgreesOnEveryLine() => AssertAgrees("gemma3");

    private static void AssertAgrees(string name)
    {
        var tokenizer = SampleTokenizers.All.Value[name];
        var rows = GoldenRow.Read(name);
        Assert.Equal(448, rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            Assert.True(row.Ids.SequenceEqual(tokenizer.Encode(row.Text, addSpecialTokens: false)), $"{name} line {i + 1}: ids");
            var special = tokenizer.Encode(row.Text, addSpecialTokens: true);
            Assert.True(row.IdsWithSpecial.SequenceEqual(special), $"{name} line {i + 1}: special");
            Assert.True(row.Decoded == tokenizer.Decode(row.Ids, skipSpecialTokens: false), $"{name} line {i + 1}: decoded");
        }
    }
}
