using LlmStageAudit.Checkpoints.Tokenization;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

public sealed class AddedTokenTests
{
    private static HuggingFaceTokenizer With(string flags, string? normalizer = null) => new SmallTokenizer
    {
        Vocabulary = SmallTokenizer.Letters("abcxymsk[] é"),
        Normalizer = normalizer,
        AddedTokens = $$"""[{"id":90,"content":"[mask]",{{flags}}},{"id":91,"content":"[mask]s","special":true}]""",
    }.Load();

    [Fact]
    public void LongestOfLeftmostMatchesCounts() =>
        Assert.Equal([91, 0, 90], With("\"special\":true").Encode("[mask]sa[mask]", addSpecialTokens: false));

    [Fact]
    public void StrippingTakesTheSpacesAlong()
    {
        // a, mask, b: the spaces on the stripped side are gone.
        Assert.Equal([0, 90, 10, 1], With("\"lstrip\":true").Encode("a  [mask] b", addSpecialTokens: false));
        Assert.Equal([0, 10, 90, 1], With("\"rstrip\":true").Encode("a [mask]  b", addSpecialTokens: false));
    }

    [Fact]
    public void LongRunsOfStrippingSpacesTakeBoundedTime()
    {
        // Every space is a token that takes the spaces after it along.
        var tokenizer = new SmallTokenizer { Vocabulary = ["a"], AddedTokens = """[{"id":1,"content":" ","rstrip":true}]""" }.Load();
        Assert.Equal(1 << 20, tokenizer.Encode(new string(' ', 1 << 20), addSpecialTokens: false).Length);
    }

    [Fact]
    public void SingleWordsAreNotFoundInsideWords()
    {
        var tokenizer = With("\"single_word\":true");
        Assert.DoesNotContain(90, tokenizer.Encode("a[mask]", addSpecialTokens: false));
        Assert.Contains(90, tokenizer.Encode("a [mask] b", addSpecialTokens: false));
    }

    [Fact]
    public void OnlyNormalizedTokensAreSoughtInNormalizedText()
    {
        Assert.Contains(90, With("\"normalized\":true", """{"type":"Lowercase"}""").Encode("[MASK]", addSpecialTokens: false));
        Assert.DoesNotContain(90, With("\"normalized\":false", """{"type":"Lowercase"}""").Encode("[MASK]", addSpecialTokens: false));
    }

    [Fact]
    public void SpecialTokensAreLeftOutOnRequest()
    {
        var tokenizer = new SmallTokenizer
        {
            Vocabulary = ["a", "<s>", "</s>", "b"],
            Decoder = """{"type":"Fuse"}""",
            AddedTokens = """[{"id":1,"content":"<s>","special":true},{"id":2,"content":"</s>","special":true}]""",
            PostProcessor = """
                {"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing",
                 "single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
                  {"SpecialToken":{"id":"end","type_id":0}}],
                 "special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]},"end":{"id":"end","ids":[2,2],"tokens":["</s>","</s>"]}}}]}
                """,
        }.Load();
        Assert.Equal([1, 0, 3, 2, 2], tokenizer.Encode("ab", addSpecialTokens: true));
        Assert.Equal([0, 3], tokenizer.Encode("ab", addSpecialTokens: false));
        Assert.Equal("<s>ab</s>", tokenizer.Decode([1, 0, 3, 2], skipSpecialTokens: false));
        Assert.Equal("ab", tokenizer.Decode([1, 0, 3, 2], skipSpecialTokens: true));
        Assert.Equal(4, tokenizer.VocabularySize);
        Assert.Equal(2, tokenizer.IdOf("</s>"));
        Assert.Null(tokenizer.IdOf("c"));
    }
}
