using System.Text;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

public sealed class TokenizerFileTests
{
    private static readonly SmallTokenizer Whole = new()
    {
        Vocabulary = ["a", "b", "ab", "c", "<s>", "Ġ", "Ġa"],
        Merges = ["a b", "Ġ a"],
        Normalizer = """{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "}]}""",
        PreTokenizer = """
            {"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{L}+|\\s"},"behavior":"Isolated","invert":false},
             {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}]}
            """,
        PostProcessor = """
            {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],
             "special_tokens":{"<s>":{"id":"<s>","ids":[4],"tokens":["<s>"]}}}
            """,
        Decoder = """{"type":"Sequence","decoders":[{"type":"ByteLevel"},{"type":"Strip","content":" ","start":1,"stop":0}]}""",
        AddedTokens = """[{"id":4,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}]""",
    };

    [Fact]
    public void WholeFileLoads() => Assert.Equal([4, 2, 5, 0, 3], Whole.Load().Encode("ab ac", addSpecialTokens: true));

    [Theory]
    [InlineData("\"BPE\"", "\"WordPiece\"", "WordPiece")]
    [InlineData("\"NFC\"", "\"BertNormalizer\"", "BertNormalizer")]
    [InlineData("\"type\":\"Split\"", "\"type\":\"Metaspace\"", "'pattern'")]
    [InlineData("\"type\":\"Split\"", "\"type\":\"Whitespace\"", "Whitespace")]
    [InlineData("\"Isolated\"", "\"Fancy\"", "Fancy")]
    [InlineData("\"TemplateProcessing\"", "\"RobertaProcessing\"", "RobertaProcessing")]
    [InlineData("\"Strip\"", "\"WordPiece\"", "WordPiece")]
    [InlineData("\"truncation\":null", "\"truncation\":{\"direction\":\"Up\"}", "truncation")]
    [InlineData("\"padding\":null", "\"padding\":7", "padding")]
    [InlineData("\"version\":\"1.0\"", "\"version\":\"2.0\"", "2.0")]
    [InlineData("\"version\"", "\"verzion\"", "verzion")]
    [InlineData("\"type\":\"BPE\"", "\"type\":\"BPE\",\"dropout\":0.1", "dropout")]
    [InlineData("\"type\":\"BPE\"", "\"type\":\"BPE\",\"end_of_word_suffix\":\"x\"", "end_of_word_suffix")]
    [InlineData("\"a b\"", "\"a z\"", "merges[0]")]
    [InlineData("\"a b\"", "\"a b c\"", "merges[0]")]
    [InlineData("\"a b\"", "\"b c\"", "'bc'")]
    [InlineData("\"c\":3", "\"c\":2", "id 2")]
    [InlineData("\"c\":3", "\"c\":-1", "-1")]
    [InlineData("\"c\":3", "\"c\":2000000000", "2000000000")]
    [InlineData("\"c\":3", "\"a\":3", "twice")]
    [InlineData("\"c\":3", "\"c\":70000", "the id 70000 among 7 tokens")]
    [InlineData("\"version\":\"1.0\"", "\"version\":\"1.0\",\"version\":\"1.0\"", "the key 'version' stands there twice")]
    [InlineData("\"invert\":false", "\"invert\":false,\"\\u0069nvert\":true", "the key 'invert' stands there twice")]
    [InlineData("\"c\":3", "\"\\ud83d\":3", "not Unicode")]
    [InlineData("\"id\":4", "\"id\":3", "'<s>'")]
    [InlineData("\"ids\":[4]", "\"ids\":[77]", "77")]
    [InlineData("\"A\"", "\"B\"", "sequence")]
    public void FaultIsNamed(string valid, string faulty, string named)
    {
        var json = Json();
        Assert.Contains(valid, json, StringComparison.Ordinal);
        var at = json.IndexOf(valid, StringComparison.Ordinal);
        var fault = Assert.Throws<CheckpointException>(() => SmallTokenizer.LoadText(json[..at] + faulty + json[(at + valid.Length)..]));
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
        Assert.Equal(ErrorKind.Input, fault.Kind);
    }

    /// <summary>As transformers, which resets both on every call.</summary>
    [Theory]
    [InlineData("truncation", """{"direction":"Right","max_length":2,"strategy":"LongestFirst","stride":0}""")]
    [InlineData("padding", """{"strategy":{"Fixed":16},"direction":"Left","pad_id":0,"pad_token":"a"}""")]
    public void LengthsThatWereSavedAreNotApplied(string key, string saved)
    {
        var json = Json().Replace($"\"{key}\":null", $"\"{key}\":{saved}", StringComparison.Ordinal);
        Assert.Contains(saved, json, StringComparison.Ordinal);
        Assert.Equal([4, 2, 5, 0, 3], SmallTokenizer.LoadText(json).Encode("ab ac", addSpecialTokens: true));
    }

    [Fact]
    public void UnknownTokenOutsideTheVocabularyIsMissedOnlyWhereItIsNeeded()
    {
        var tokenizer = SmallTokenizer.LoadText(
            Json().Replace("\"type\":\"BPE\"", "\"type\":\"BPE\",\"unk_token\":\"[UNK]\"", StringComparison.Ordinal));
        Assert.Equal([2, 5, 0, 3], tokenizer.Encode("ab ac", addSpecialTokens: false));
        var fault = Assert.Throws<CheckpointException>(() => tokenizer.Encode("z", addSpecialTokens: false));
        Assert.Contains("U+007A", fault.Message, StringComparison.Ordinal);
        Assert.Contains("'[UNK]' is not in the vocabulary", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsNoJsonOrNotThereIsNamed()
    {
        Assert.Throws<CheckpointException>(() => SmallTokenizer.LoadText(""));
        Assert.Throws<CheckpointException>(() => SmallTokenizer.LoadText("[]"));
        Assert.Throws<CheckpointException>(() => SmallTokenizer.LoadText(new string('[', 100_000)));
        var absent = Path.Combine(Path.GetTempPath(), $"absent-{Guid.NewGuid():N}", "tokenizer.json");
        Assert.Throws<CheckpointException>(() => HuggingFaceTokenizer.Load(absent));
    }

    private static string Json() => Whole.Json()
        .Replace("\\u0120", "Ġ", StringComparison.Ordinal)
        .Replace("\\u003C", "<", StringComparison.Ordinal)
        .Replace("\\u003E", ">", StringComparison.Ordinal);
}
