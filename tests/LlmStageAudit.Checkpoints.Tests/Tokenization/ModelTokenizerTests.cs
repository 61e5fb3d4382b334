using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Checkpoints.Tokenization;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>What a tokenizer_config.json changes, by the rules of transformers 4.57 and 5.</summary>
public sealed class ModelTokenizerTests : IDisposable
{
    private const string Template = """
        {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],
         "special_tokens":{"<s>":{"id":"<s>","ids":[0],"tokens":["<s>"]}}}
        """;

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Without_a_configuration_the_template_of_the_file_counts()
    {
        var tokenizer = Load(Template, config: null);
        Assert.Equal((false, null), (tokenizer.CutsLeft, tokenizer.MaxLength));
        Assert.Equal([0], tokenizer.Before);
        Assert.Empty(tokenizer.After);
        Assert.Equal([2, 3], tokenizer.Encode("ab"));
    }

    /// <summary>These classes rebuild the template from the two flags.</summary>
    [Theory]
    [InlineData("LlamaTokenizerFast", "\"add_bos_token\":false,\"add_eos_token\":true", new int[0], new[] { 1 })]
    [InlineData("LlamaTokenizer", "\"add_eos_token\":true", new[] { 0 }, new[] { 1 })]
    [InlineData("GemmaTokenizer", "\"add_bos_token\":true,\"add_eos_token\":true", new[] { 0 }, new[] { 1 })]
    [InlineData("GPTNeoXTokenizer", "\"add_bos_token\":false,\"add_eos_token\":true", new int[0], new[] { 1 })]
    [InlineData("GPTNeoXTokenizerFast", "\"errors\":\"replace\"", new int[0], new int[0])]
    [InlineData("LlamaTokenizerFast", "\"add_bos_token\":true", new[] { 0 }, new int[0])]
    [InlineData("LlamaTokenizerFast", "\"legacy\":false", new[] { 0 }, new int[0])]
    [InlineData("TokenizersBackend", "\"add_eos_token\":true", new int[0], new[] { 1 })]
    [InlineData("TokenizersBackend", "\"clean_up_tokenization_spaces\":true", new[] { 0 }, new int[0])]
    [InlineData("PreTrainedTokenizerFast", "\"add_bos_token\":true", new[] { 0 }, new int[0])]
    [InlineData("PreTrainedTokenizerFast", "\"model_max_length\":9", new[] { 0 }, new int[0])]
    public void Flags_act_as_in_transformers(string name, string flags, int[] before, int[] after)
    {
        var tokenizer = Load(Template, $$"""{"tokenizer_class":"{{name}}","bos_token":"<s>","eos_token":{"content":"</s>"},{{flags}}}""");
        Assert.Equal(before, tokenizer.Before);
        Assert.Equal(after, tokenizer.After);
    }

    /// <summary>transformers 4 and 5 would give other ids of these.</summary>
    [Theory]
    [InlineData("PreTrainedTokenizerFast", "\"add_eos_token\":true", "add_eos_token true")]
    [InlineData("PreTrainedTokenizerFast", "\"add_bos_token\":false", "add_bos_token false")]
    [InlineData("GPTNeoXTokenizer", "\"split_special_tokens\":true", "split_special_tokens")]
    [InlineData("GPTNeoXTokenizer", "\"truncation_side\":\"up\"", "left or right")]
    [InlineData("GPTNeoXTokenizer", "\"add_eos_token\":\"yes\"", "true or false")]
    [InlineData("GPTNeoXTokenizer", "\"add_prefix_space\":true", "add_prefix_space true, where tokenizer.json has false")]
    public void What_versions_read_differently_is_refused(string name, string flags, string expected)
    {
        var fault = Assert.Throws<CheckpointException>(() =>
            Load(Template, $$"""{"tokenizer_class":"{{name}}","bos_token":"<s>","eos_token":"</s>",{{flags}}}"""));
        Assert.Contains("tokenizer_config.json", fault.Message);
        Assert.Contains(expected, fault.Message);
    }

    [Fact]
    public void A_class_whose_default_differs_from_the_file_must_be_told()
    {
        var fault = Assert.Throws<CheckpointException>(() =>
            Load(template: null, """{"tokenizer_class":"LlamaTokenizerFast","bos_token":"<s>","eos_token":"</s>"}"""));
        Assert.Contains("(the defaults of LlamaTokenizer)", fault.Message);
        Assert.Contains("write both keys out", fault.Message);
    }

    [Fact]
    public void Sides_and_lengths_are_read()
    {
        var left = Load(null, """{"truncation_side":"left","model_max_length":8}""");
        Assert.Equal((true, 8), (left.CutsLeft, left.MaxLength));
        Assert.Null(Load(null, """{"model_max_length":1000000000000000019884624838656}""").MaxLength);
        Assert.True(Load(null, null, truncation: """{"direction":"Left","max_length":4}""").CutsLeft);
        Assert.False(Load(null, """{"truncation_side":"right"}""", truncation: """{"direction":"Left","max_length":4}""").CutsLeft);
    }

    [Fact]
    public void Tokens_that_the_file_lacks_are_told()
    {
        Assert.Contains("'[PAD]', '<y>'", Assert.Single(Load(null, """
            {"pad_token":"[PAD]","bos_token":"<s>","added_tokens_decoder":{"0":{"content":"<s>"},"9":{"content":"<y>"}}}
            """).Warnings).Message);
        var fault = Assert.Throws<CheckpointException>(() => Load(
            null, """{"tokenizer_class":"LlamaTokenizer","bos_token":"<begin>","add_bos_token":true,"add_eos_token":false}"""));
        Assert.Contains("bos_token: '<begin>' is no token of tokenizer.json", fault.Message);
    }

    private ModelTokenizer Load(string? template, string? config, string truncation = "null")
    {
        var tokenizer = new SmallTokenizer
        {
            Vocabulary = ["<s>", "</s>", "a", "b"],
            PreTokenizer = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""",
            PostProcessor = template,
            AddedTokens = """[{"id":0,"content":"<s>","special":true},{"id":1,"content":"</s>","special":true}]""",
        };
        var path = _scratch.WriteText(
            "tokenizer.json", tokenizer.Json().Replace("\"truncation\":null", $"\"truncation\":{truncation}", StringComparison.Ordinal));
        File.Delete(_scratch["tokenizer_config.json"]);
        if (config is not null) _scratch.WriteText("tokenizer_config.json", config);
        return ModelTokenizer.Load(path);
    }
}
