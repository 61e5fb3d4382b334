using System.Globalization;
using System.Text;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Tests.Models;

public sealed class ModelConfigTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Getters_read_values_and_nested_objects()
    {
        var config = Parse("""{"model_type":"x","n":3,"f":0.5,"on":true,"names":["a","b"],"gone":null,"in":{"deep":{"k":7}}}""");

        Assert.Equal("x", config.ModelType);
        Assert.Equal(3, config.GetInt("n"));
        Assert.Equal(3.0, config.FindDouble("n"));
        Assert.Equal(0.5, config.FindDouble("f"));
        Assert.True(config.FindBool("on"));
        Assert.Equal(["a", "b"], config.FindStrings("names"));
        Assert.Null(config.FindInt("gone"));
        Assert.False(config.Has("gone"));
        Assert.Equal(7, config.FindSection("in")!.FindSection("deep")!.GetInt("k"));
        Assert.Empty(config.Architectures);
    }

    [Fact]
    public void Keys_that_are_set_and_not_known_are_told()
    {
        var config = ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes("""
            {"model_type":"llama","hidden_size":8,"use_cache":true,"_private":1,"embedding_multiplier":12.0,"head_gate":false,
             "auto_map":{"AutoModel":"x.Y"},"extras":[],"logits_scaling":null,"top_k":50}
            """));
        Assert.Equal(["embedding_multiplier", "auto_map"], config.UnknownKeys);
    }

    [Theory]
    [InlineData("""{"hiden_size":8}""", "config.json: hidden_size: is absent; expected an integer; did you mean 'hiden_size'?")]
    [InlineData("""{"hidden_size":"8"}""", "config.json: hidden_size: found '\"8\"'; expected an integer")]
    [InlineData("""{"hidden_size":8.5}""", "config.json: hidden_size: found '8.5'")]
    [InlineData("""{"hidden_size":99999999999}""", "config.json: hidden_size: found '99999999999'")]
    [InlineData("""{"hidden_size":[8]}""", "config.json: hidden_size: found a list")]
    [InlineData("""{"hidden_size":null}""", "config.json: hidden_size: is absent")]
    public void Wrong_integer_is_named(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => Parse(json).GetInt("hidden_size")).Message);

    [Fact]
    public void Nested_keys_are_named_by_their_path()
    {
        var deep = Parse("""{"rope":{"inner":{"theta":"big"}}}""").FindSection("rope")!.FindSection("inner")!;
        Assert.Contains("config.json: rope.inner.theta: found", Assert.Throws<CheckpointException>(() => deep.FindDouble("theta")).Message);
    }

    [Fact]
    public void Infinite_numbers_and_broken_text_are_wrong_types()
    {
        Assert.Throws<CheckpointException>(() => Parse("""{"f":1e999}""").FindDouble("f"));
        Assert.Throws<CheckpointException>(() => Parse("""{"s":"\ud800"}""").GetString("s"));
        Assert.Throws<CheckpointException>(() => Parse("""{"l":["a",1]}""").FindStrings("l"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{} {}")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("{'a':1}")]
    public void Text_that_is_no_object_is_refused(string json) => Assert.Throws<CheckpointException>(() => Parse(json).GetInt("a"));

    [Fact]
    public void Depth_and_size_are_bounded()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 5000)) + "1" + new string('}', 5000);
        Assert.Throws<CheckpointException>(() => Parse(deep));
        using (var sparse = File.Create(_scratch["big.json"])) sparse.SetLength(ModelConfig.LongestBytes + 1);
        var fault = Assert.Throws<CheckpointException>(() => ModelConfig.Read(_scratch["big.json"]));
        Assert.Contains("expected at most 16777216 bytes", fault.Message);
        Assert.Equal(ErrorKind.Input, fault.Kind);
    }

    [Theory]
    [InlineData("{}", null)]
    [InlineData("""{"num_labels":4}""", 4)]
    [InlineData("""{"id2label":{"0":"a","1":"b"}}""", 2)]
    [InlineData("""{"id2label":{"0":"a","1":"b"},"num_labels":7}""", 2)]
    public void Label_count_comes_from_the_labels(string json, int? expected) => Assert.Equal(expected, Parse(json).NumLabels);

    [Fact]
    public void Numbers_do_not_depend_on_the_culture()
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = new CultureInfo("de-DE");
        try
        {
            Assert.Equal(0.25, Parse("""{"f":0.25}""").FindDouble("f"));
            var fault = Assert.Throws<CheckpointException>(() => GptNeoXConfigTests.Read(("rotary_pct", 1.5)));
            Assert.Contains("found 1.5;", fault.Message);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static ModelConfig Parse(string json) => ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes(json));
}
