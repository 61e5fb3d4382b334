using System.Buffers;
using FsCheck.Xunit;
using LlmStageAudit.Checkpoints.Tokenization;
using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

public sealed class TokenizerContractTests
{
    /// <summary>The ids of all rows are compared elsewhere; the contract is some forty calls a row.</summary>
    private const int EveryRow = 8;

    [Property(Arbitrary = [typeof(UnicodeText)], MaxTest = 100, Replay = "20261128,297405283")]
    public void MembersAgreeOnAnyText(UnicodeText text)
    {
        foreach (var tokenizer in SampleTokenizers.All.Value.Values) TokenizerContract.Assert(tokenizer, text.Value);
    }

    [SharedDataFact("data/pythia/tokenizer.json", "data/tokenizers/pythia.jsonl")]
    public void MembersAgreeOnPythiasRows() => AssertRows("pythia");

    [SharedDataFact("data/gemma3/tokenizer.json", "data/tokenizers/gemma3.jsonl")]
    public void MembersAgreeOnGemmasRows() => AssertRows("gemma3");

    [Property(Arbitrary = [typeof(UnicodeText)], MaxTest = 100, Replay = "20261128,297405283")]
    public void WithoutAStepIdsAreThoseOfTheFileWithoutIt(UnicodeText text)
    {
        foreach (var (tokenizer, unnormalized, uncut) in Reduced.Value)
        {
            Assert.Equal(unnormalized.EncodeToIds(text.Value), tokenizer.EncodeToIds(text.Value, considerNormalization: false));
            Assert.Equal(uncut.EncodeToIds(text.Value), tokenizer.EncodeToIds(text.Value, considerPreTokenization: false));
        }
    }

    [Property(Arbitrary = [typeof(UnicodeText)], MaxTest = 100, Replay = "20261128,297405283")]
    public void NormalizerAndPreTokenizerAreThoseOfTheEncoding(UnicodeText text)
    {
        // No added token of the file occurs, so that every step sees the whole text.
        var value = text.Value.Replace("<", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);
        foreach (var tokenizer in new[] { SampleTokenizers.All.Value["bytes"], SampleTokenizers.All.Value["prefixed"] })
        {
            var tokens = tokenizer.EncodeToTokens(value, out var normalized);
            Assert.Equal(normalized, tokenizer.Normalizer!.Normalize(value));
            Assert.Equal(normalized, tokenizer.Normalizer.Normalize(value.AsSpan()));
            if (tokenizer.PreTokenizer is not { } cutter) continue;
            var pieces = cutter.PreTokenize(normalized!).ToList();
            Assert.Equal(pieces, cutter.PreTokenize(normalized.AsSpan()));
            Assert.Equal(normalized!.Length, pieces.Sum(piece => piece.Length));
            var starts = tokens.Select(token => token.Offset.Start.Value).ToHashSet();
            Assert.All(pieces, piece => Assert.Contains(piece.Offset, starts));
        }
    }

    [Fact]
    public void FilesWithoutStepsHaveNone()
    {
        var tokenizer = new SmallTokenizer { Vocabulary = ["a", "\uFFFD"] }.Load();
        Assert.Null(tokenizer.Normalizer);
        Assert.Null(tokenizer.PreTokenizer);
        var tokens = tokenizer.EncodeToTokens("a\uD83D", out var normalized);
        Assert.Equal([new EncodedToken(0, "a", 0..1), new EncodedToken(1, "\uFFFD", 1..2)], tokens);
        Assert.Null(normalized);
    }

    [Fact]
    public void EmptyTextHasNoTokens()
    {
        foreach (var tokenizer in SampleTokenizers.All.Value.Values)
        {
            Assert.Empty(tokenizer.EncodeToTokens("", out _));
            Assert.Equal(0, tokenizer.CountTokens(""));
            Assert.Equal(0, tokenizer.GetIndexByTokenCount("", 1, out _, out var count));
            Assert.Equal(0, tokenizer.GetIndexByTokenCountFromEnd("", 1, out _, out _));
            Assert.Equal(0, count);
            Assert.Equal("", tokenizer.Decode([]));
            Assert.Equal(OperationStatus.Done, tokenizer.Decode([], [], out var consumed, out var written));
            Assert.Equal((0, 0), (consumed, written));
        }
    }

    [Fact]
    public void CharacterCutInTwoBelongsToBothTokensAndToNoLimit()
    {
        // U+1F642 is the bytes F0 9F 99 82: the first two merge.
        var tokenizer = SampleTokenizers.Bytes.Load();
        var tokens = tokenizer.EncodeToTokens("e\u0301🙂", out var normalized);
        Assert.Equal("é🙂", normalized);
        Assert.Equal(["Ã©", "ðŁ", "Ļ", "Ĥ"], tokens.Select(token => token.Value));
        Assert.Equal([0..1, 1..3, 1..3, 1..3], tokens.Select(token => token.Offset));
        Assert.Equal([0..1, 2..4, 2..4, 2..4], tokenizer.EncodeWithOffsets("e\u0301🙂", false).Select(token => token.Offset));
        Assert.Equal(1, tokenizer.GetIndexByTokenCount("é🙂", 3, out _, out _));
        Assert.Equal(3, tokenizer.GetIndexByTokenCountFromEnd("é🙂", 2, out _, out _));
        Assert.Equal(1, tokenizer.GetIndexByTokenCountFromEnd("é🙂", 3, out _, out _));

        var span = new char[2];
        var ids = tokens.Select(token => token.Id).ToArray();
        Assert.Equal(OperationStatus.DestinationTooSmall, tokenizer.Decode(ids, span, out var consumed, out var written));
        Assert.Equal((1, 1, 'é'), (consumed, written, span[0]));
        Assert.Equal(OperationStatus.Done, tokenizer.Decode(ids[1..], span, out consumed, out written));
        Assert.Equal((3, "🙂"), (consumed, new string(span)));
    }

    [Fact]
    public void UnknownIdEndsDecoding()
    {
        var tokenizer = SampleTokenizers.Bytes.Load();
        var ids = tokenizer.Encode("Hello", addSpecialTokens: false);
        var span = new char[9];
        Assert.Equal(OperationStatus.InvalidData, tokenizer.Decode([.. ids, 99_999, .. ids], span, out var consumed, out var written));
        Assert.Equal((ids.Length, "Hello"), (consumed, new string(span, 0, written)));
        Assert.Throws<CheckpointException>(() => tokenizer.Decode([99_999]));
    }

    private static readonly Lazy<(HuggingFaceTokenizer, HuggingFaceTokenizer Unnormalized, HuggingFaceTokenizer Uncut)[]> Reduced = new(() =>
    [
        (
            SampleTokenizers.Bytes.Load(),
            SampleTokenizers.Bytes.With("normalizer", null),
            SampleTokenizers.Bytes.With("pre_tokenizer", """{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}""")),
        (
            SampleTokenizers.Fallback.Load(),
            SampleTokenizers.Fallback.With("normalizer", null),
            SampleTokenizers.Fallback.With("pre_tokenizer", null)),
        (SampleTokenizers.Lowercased.Load(), SampleTokenizers.Lowercased.With("normalizer", null), SampleTokenizers.Lowercased.Load()),
    ]);

    private static void AssertRows(string name)
    {
        var tokenizer = SampleTokenizers.All.Value[name];
        foreach (var row in GoldenRow.Read(name).Where((_, i) => i % EveryRow == 0)) TokenizerContract.Assert(tokenizer, row.Text);
    }
}
