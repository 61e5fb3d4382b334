using System.Text;
using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Tests.Safetensors;

namespace LlmStageAudit.Checkpoints.Tests.Models;

public sealed class GptNeoXConfigTests
{
    [Fact]
    public void Absent_keys_read_as_the_familys_defaults()
    {
        var read = Read();

        Assert.Equal((64, 256, 2, 4, 100, 32), Sizes(read));
        Assert.Equal((0.25, 1e-5, "gelu"), (read.RotaryFraction, read.LayerNormEpsilon, read.Activation));
        Assert.Equal(new RotaryConfig(10_000), read.Rotary);
        Assert.Equal((true, true, false), (read.UseParallelResidual, read.AttentionBias, read.TieWordEmbeddings));
        Assert.Equal((16, 4), (read.HeadSize, read.RotaryDimensions));
        Assert.Null(read.PadTokenId);
        Assert.Null(read.NumLabels);
    }

    [SharedFact]
    public void Both_spellings_of_the_reference_configuration_read_the_same()
    {
        var old = GptNeoXConfig.Read(ModelConfig.Read(SharedFiles.Golden("gpt_neox", "config.json")));
        var current = GptNeoXConfig.Read(ModelConfig.Read(SharedFiles.Golden("gpt_neox", "config.v5.json")));

        Assert.Equal(old, current);
        Assert.Equal((0.5, 4), (old.RotaryFraction, old.RotaryDimensions));
        Assert.Equal((32, 64, 3, 4, 256, 128), Sizes(old));
        Assert.Equal(0, old.PadTokenId);
        Assert.Equal(3, GptNeoXConfig.Read(ModelConfig.Read(SharedFiles.Golden("gpt_neox", "seqcls", "config.json"))).NumLabels);
    }

    [Fact]
    public void Every_spelling_of_the_rotary_settings_is_read()
    {
        Assert.Equal(1.0, Read(("rotary_pct", 1.0)).RotaryFraction);
        Assert.Equal(0.5, Read(("partial_rotary_factor", 0.5), ("rotary_pct", 0.5)).RotaryFraction);
        Assert.Equal(0.25, Read(("partial_rotary_factor", 0.25)).RotaryFraction);
        Assert.Equal(0.5, Read(("rope_parameters", Object("""{"partial_rotary_factor":0.5}"""))).RotaryFraction);
        Assert.Equal(5e5, Read(("rotary_emb_base", 500000)).Rotary.Theta);
        Assert.Equal(5e5, Read(("rope_theta", 5e5), ("rotary_emb_base", 500000)).Rotary.Theta);
        Assert.Equal(1e4, Read(("rope_theta", 1e4)).Rotary.Theta);
        Assert.Equal(5e5, Read(("rope_scaling", Object("""{"rope_theta":500000.0,"rope_type":"default"}"""))).Rotary.Theta);
        Assert.Equal(5e5, Read(("rope_parameters", Object("""{"rope_theta":500000.0,"rope_type":"default"}"""))).Rotary.Theta);
        Assert.Equal(0.5, Read(("rope_parameters", Object("""{"partial_rotary_factor":0.5}""")), ("rotary_pct", 0.5)).RotaryFraction);
    }

    /// <summary>transformers 4 takes them from there over the family's own keys, 5 does not look for them there.</summary>
    [Theory]
    [InlineData("rope_theta", 5e5, "rotary_emb_base")]
    [InlineData("partial_rotary_factor", 0.5, "rotary_pct")]
    public void General_names_without_the_familys_own_are_refused(string key, double value, string own) => Assert.Contains(
        $"{key} without {own}", Assert.Throws<CheckpointException>(() => Read((key, value))).Message);

    [Fact]
    public void Dropout_is_kept_for_those_who_train() => Assert.Equal(
        "hidden_dropout 0.1 and attention_dropout 0.2", Read(("hidden_dropout", 0.1), ("attention_dropout", 0.2)).Dropout);

    [Fact]
    public void Spellings_that_disagree_are_an_error()
    {
        var fault = Assert.Throws<CheckpointException>(() => Read(("rope_theta", 10000), ("rotary_emb_base", 20000)));
        Assert.Contains("rotary_emb_base: found 20000 here and 10000 under another spelling", fault.Message);
    }

    [Fact]
    public void Linear_scaling_is_read_from_every_spelling()
    {
        var expected = new RotaryConfig(10_000) { Scaling = RotaryScaling.Linear, Factor = 4 };
        Assert.Equal(expected, Read(("rope_scaling", Object("""{"type":"linear","factor":4.0}"""))).Rotary);
        Assert.Equal(expected, Read(("rope_scaling", Object("""{"rope_type":"linear","factor":4}"""))).Rotary);
        Assert.Equal(expected, Read(("rope_parameters", Object("""{"rope_type":"linear","factor":4,"rope_theta":10000}"""))).Rotary);
        var fault = Assert.Throws<CheckpointException>(() => Read(
            ("rope_parameters", Object("""{"rope_type":"default"}""")), ("rope_scaling", Object("""{"type":"linear","factor":4}"""))));
        Assert.Contains("says Linear by 4 here and None by 1 under another spelling", fault.Message);
        Assert.Throws<CheckpointException>(() => Read(("rope_scaling", Object("""{"type":"linear"}"""))));
        Assert.Throws<CheckpointException>(() => Read(("rope_scaling", Object("""{"type":"linear","factor":0}"""))));
    }

    [Fact]
    public void Unsupported_settings_are_named_all_at_once()
    {
        var fault = Assert.Throws<CheckpointException>(() => Read(
            ("rope_scaling", Object("""{"type":"dynamic","factor":2.0}""")), ("hidden_act", "swishy"),
            ("quantization_config", Object("""{"bits":4}"""))));

        string[] parts =
            ["rope_scaling of type 'dynamic'", "hidden_act 'swishy'", "quantization_config"];
        Assert.All(parts, part => Assert.Contains(part, fault.Message));
    }

    [Fact]
    public void Settings_that_do_not_act_are_accepted()
    {
        var read = Read(
            ("rope_scaling", null), ("hidden_dropout", 0.0), ("attention_dropout", 0),
            ("classifier_dropout", 0.1), ("hidden_act", "gelu_fast"));
        Assert.Equal("gelu_fast", read.Activation);
        Assert.Equal(0.25, Read(("rope_scaling", Object("""{"rope_type":"default"}"""))).RotaryFraction);
        Assert.Throws<CheckpointException>(() => Read(("rope_parameters", Object("""{"rope_type":"yarn"}"""))));
        Assert.Throws<CheckpointException>(() => Read(("rope_scaling", Object("""{"factor":4}"""))));
    }

    [Theory]
    [InlineData("num_attention_heads", 5, "does not divide hidden_size 64")]
    [InlineData("num_attention_heads", 0, "from 1 to")]
    [InlineData("hidden_size", -64, "from 1 to")]
    [InlineData("num_hidden_layers", 1000000, "from 1 to 10000")]
    [InlineData("vocab_size", int.MaxValue, "from 1 to")]
    [InlineData("rotary_pct", 0.2, "rotates 3 dimensions")]
    [InlineData("rotary_pct", 0.0, "a fraction in (0, 1]")]
    [InlineData("rotary_emb_base", -1, "a positive number")]
    [InlineData("layer_norm_eps", 0, "a positive number")]
    [InlineData("initializer_range", -1, "zero or a positive number")]
    [InlineData("pad_token_id", 100, "below vocab_size 100")]
    [InlineData("pad_token_id", -2, "below vocab_size 100")]
    [InlineData("model_type", "llama", "found 'llama'; expected 'gpt_neox'")]
    public void Wrong_value_is_named(string key, object value, string expected)
    {
        var fault = Assert.Throws<CheckpointException>(() => Read((key, JsonValue.Create(value))));
        Assert.Contains(expected, fault.Message);
        Assert.Contains(key, fault.Message);
    }

    internal static GptNeoXConfig Read(params (string Key, JsonNode? Value)[] changes)
    {
        var json = Object("""
            {"model_type":"gpt_neox","hidden_size":64,"intermediate_size":256,"num_hidden_layers":2,"num_attention_heads":4,
             "vocab_size":100,"max_position_embeddings":32}
            """);
        foreach (var (key, value) in changes) json[key] = value;
        return GptNeoXConfig.Read(ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes(json.ToJsonString())));
    }

    private static (int Hidden, int Intermediate, int Layers, int Heads, int Vocabulary, int Positions) Sizes(GptNeoXConfig read) =>
        (read.HiddenSize, read.IntermediateSize, read.LayerCount, read.HeadCount, read.VocabularySize, read.MaxPositions);

    private static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();
}
