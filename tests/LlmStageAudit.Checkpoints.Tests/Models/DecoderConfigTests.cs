using System.Text;
using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Tests.Safetensors;

namespace LlmStageAudit.Checkpoints.Tests.Models;

/// <summary>The configurations of Llama and the Gemmas.</summary>
public sealed class DecoderConfigTests
{
    private static readonly string[] s_families = ["llama", "gemma", "gemma2", "gemma3_text"];

    public static TheoryData<string> Families => [.. s_families];

    [Fact]
    public void Absent_keys_read_as_each_familys_defaults()
    {
        var llama = (LlamaConfig)Read("llama", ("num_key_value_heads", null));
        Assert.Equal((4, 16, "silu"), (llama.KeyValueHeadCount, llama.HeadSize, llama.Activation));
        Assert.Equal((false, false, false), (llama.TieWordEmbeddings, llama.AttentionBias, llama.MlpBias));
        Assert.Null(llama.PadTokenId);
        Assert.Equal(new RotaryConfig(10_000), llama.Rotary);

        foreach (var family in s_families[1..])
        {
            var gemma = Read(family);
            Assert.Equal((256, "gelu_pytorch_tanh"), (gemma.HeadSize, gemma.Activation));
            Assert.Equal((1e-6, 0.02), (gemma.RmsNormEpsilon, gemma.InitializerRange));
            Assert.Equal((true, 0), (gemma.TieWordEmbeddings, gemma.PadTokenId));
        }

        var second = (Gemma2Config)Read("gemma2");
        Assert.Equal((256.0, 4096), (second.QueryPreAttentionScalar, second.SlidingWindow));
        Assert.Equal((50.0, 30.0), (second.AttentionSoftCap, second.FinalSoftCap));
        Assert.Equal("SFSFSFSF", second.Sliding.ToString());

        var third = (Gemma3Config)Read("gemma3_text");
        Assert.Equal((256.0, 4096), (third.QueryPreAttentionScalar, third.SlidingWindow));
        Assert.Null(third.FinalSoftCap);
        Assert.Equal((new RotaryConfig(1e6), new RotaryConfig(1e4)), (third.GlobalRotary, third.LocalRotary));
        Assert.Equal("SSSSSFSS", third.Sliding.ToString());
    }

    [SharedFact]
    public void Both_spellings_of_the_reference_configurations_read_the_same()
    {
        foreach (var (folder, family) in new[] { ("llama", "llama"), ("gemma", "gemma"), ("gemma3", "gemma3_text") })
        {
            var old = ReadAny(ModelConfig.Read(SharedFiles.Golden(folder, "config.json")));
            var current = ReadAny(ModelConfig.Read(SharedFiles.Golden(folder, "config.v5.json")));
            Assert.Equal(old, current);
            Assert.Equal((32, 48, 4, 2, 256, 128),
                (old.HiddenSize, old.IntermediateSize, old.HeadCount, old.KeyValueHeadCount, old.VocabularySize, old.MaxPositions));
            Assert.Equal((0, family == "llama" ? 8 : 16), (old.PadTokenId, old.HeadSize));
            Assert.Equal(3, ReadAny(ModelConfig.Read(SharedFiles.Golden(folder, "seqcls", "config.json"))).NumLabels);
        }

        var gemma3 = Gemma3Config.Read(ModelConfig.Read(SharedFiles.Golden("gemma3", "config.json")));
        Assert.Equal((24.0, 5, "SSFSSF"), (gemma3.QueryPreAttentionScalar, gemma3.SlidingWindow, gemma3.Sliding.ToString()));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gemma")]
    [InlineData("gemma2")]
    public void Rotary_settings_are_read_from_either_spelling(string family)
    {
        const string Llama3 = """
            {"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192,
             "rope_theta":500000.0}
            """;
        var scaled = Object(Llama3);
        scaled.Remove("rope_theta");
        var expected = new RotaryConfig(5e5)
        {
            Scaling = RotaryScaling.Llama3,
            Factor = 8,
            LowFrequencyFactor = 1,
            HighFrequencyFactor = 4,
            OriginalMaxPositions = 8192,
        };
        Assert.Equal(expected, RotaryOf(Read(family, ("rope_theta", 5e5), ("rope_scaling", scaled))));
        Assert.Equal(expected, RotaryOf(Read(family, ("rope_parameters", Object(Llama3)))));
        Assert.Equal(new RotaryConfig(7), RotaryOf(Read(family, ("rope_theta", 7))));
        Assert.Equal(new RotaryConfig(1e4) { Scaling = RotaryScaling.Linear, Factor = 2 },
            RotaryOf(Read(family, ("rope_scaling", Object("""{"type":"linear","factor":2.0}""")))));
        Assert.Equal(new RotaryConfig(1e4), RotaryOf(Read(family, ("rope_scaling", null), ("rope_parameters", null))));
    }

    [Fact]
    public void Gemma_3_scales_the_rotation_of_the_full_layers_only()
    {
        var linear = new RotaryConfig(1e6) { Scaling = RotaryScaling.Linear, Factor = 8 };
        var old = (Gemma3Config)Read("gemma3_text", ("rope_scaling", Object("""{"factor":8.0,"rope_type":"linear"}""")));
        var current = (Gemma3Config)Read("gemma3_text", ("rope_parameters", Object("""
            {"full_attention":{"rope_type":"linear","factor":8.0,"rope_theta":1000000},
             "sliding_attention":{"rope_type":"default","rope_theta":10000}}
            """)));
        Assert.Equal((linear, new RotaryConfig(1e4)), (old.GlobalRotary, old.LocalRotary));
        Assert.Equal(old, current);
        var flat = Fault("gemma3_text", ("rope_parameters", Object("""{"rope_theta":1000000}""")));
        Assert.Contains("rope_parameters: names no kind of layer; expected full_attention and sliding_attention", flat);
    }

    [Fact]
    public void Layer_types_come_before_the_pattern()
    {
        Assert.Equal("SFFSFFSF", Sliding("gemma3_text", ("layer_types", Types("SFFSFFSF"))));
        Assert.Equal("SFFSFFSF", Sliding("gemma2", ("layer_types", Types("SFFSFFSF"))));
        Assert.Equal("SSFSSFSS", Sliding("gemma3_text", ("sliding_window_pattern", 3)));
        Assert.Equal("FFFFFFFF", Sliding("gemma3_text", ("sliding_window_pattern", 1)));
        Assert.NotEqual(Read("gemma2"), Read("gemma2", ("layer_types", Types("SFSFSFSS"))));
        Assert.Equal(Read("gemma2"), Read("gemma2", ("layer_types", Types("SFSFSFSF"))));
        Assert.Contains("layer_types: has 2 entries; expected one per layer, 8", Fault("gemma2", ("layer_types", Types("SF"))));
        Assert.Contains("sliding_window_pattern", Fault("gemma3_text", ("sliding_window_pattern", 0)));
    }

    [Fact]
    public void Gelu_in_old_Gemma_files_means_the_tanh_form()
    {
        Assert.Equal("gelu_pytorch_tanh", Read("gemma", ("hidden_act", "gelu")).Activation);
        Assert.Equal("gelu_pytorch_tanh", Read("gemma", ("hidden_act", "gelu"), ("hidden_activation", null)).Activation);
        Assert.Equal("gelu", Read("gemma", ("hidden_act", "gelu"), ("hidden_activation", "gelu")).Activation);
        Assert.Equal("relu", Read("gemma", ("hidden_act", "relu"), ("hidden_activation", "relu")).Activation);
        Assert.Equal("gelu", Read("llama", ("hidden_act", "gelu")).Activation);
    }

    /// <summary>transformers 4.38 takes hidden_activation, 5 takes hidden_act.</summary>
    [Theory]
    [InlineData("relu", null)]
    [InlineData("relu", "gelu_pytorch_tanh")]
    [InlineData("gelu_pytorch_tanh", "gelu")]
    [InlineData(null, "gelu")]
    public void Activations_of_Gemma_that_versions_of_transformers_read_differently_are_refused(string? act, string? activation) =>
        Assert.Contains(
            "hidden_activation",
            Fault("gemma", ("hidden_act", JsonValue.Create(act)), ("hidden_activation", JsonValue.Create(activation))));

    [Theory]
    [InlineData("gemma2")]
    [InlineData("gemma3_text")]
    public void A_window_that_is_null_is_refused_while_a_layer_slides(string family)
    {
        Assert.Contains("sliding_window: is null, and layers slide", Fault(family, ("sliding_window", null)));
        Assert.Equal(Types("FFFFFFFF").Count, Read(family, ("sliding_window", null), ("layer_types", Types("FFFFFFFF"))).LayerCount);
    }

    /// <summary>A text_config of google/gemma-3-4b-it names no more than this; sizes are those of the published model.</summary>
    [Fact]
    public void Sparse_files_have_the_sizes_of_the_family()
    {
        var third = (Gemma3Config)ReadAny(ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes("""
            {"model_type":"gemma3_text","hidden_size":2560,"intermediate_size":10240,"num_hidden_layers":34,
             "rope_scaling":{"factor":8.0,"rope_type":"linear"},"sliding_window":1024}
            """)));
        Assert.Equal((8, 4, 256, 262_208, 131_072),
            (third.HeadCount, third.KeyValueHeadCount, third.HeadSize, third.VocabularySize, third.MaxPositions));
        Assert.Equal((1024, 8.0, 1e6), (third.SlidingWindow, third.GlobalRotary.Factor, third.GlobalRotary.Theta));
        var llama = ReadAny(ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes(
            """{"model_type":"llama","hidden_size":4096,"intermediate_size":11008,"num_hidden_layers":32,"pad_token_id":-1}""")));
        Assert.Equal((32, 32, 32_000, 2048), (llama.HeadCount, llama.KeyValueHeadCount, llama.VocabularySize, llama.MaxPositions));
        Assert.Null(llama.PadTokenId);
        var gemma = Read("gemma", ("num_attention_heads", null), ("num_key_value_heads", null));
        Assert.Equal((16, 16), (gemma.HeadCount, gemma.KeyValueHeadCount));
    }

    [Fact]
    public void A_base_in_rope_scaling_counts_and_must_agree()
    {
        var own = Object("""{"type":"linear","factor":2.0,"rope_theta":500000.0}""");
        Assert.Equal(5e5, RotaryOf(Read("llama", ("rope_scaling", own))).Theta);
        Assert.Contains("rope_theta", Fault("llama", ("rope_scaling", own), ("rope_theta", 1e4)));
        Assert.Equal(5e5, ((Gemma3Config)Read("gemma3_text", ("rope_scaling", own))).GlobalRotary.Theta);
        Assert.Contains("rope_scaling by kinds of layers", Fault("gemma3_text", ("rope_scaling", Object("""{"full_attention":{}}"""))));
    }

    [Fact]
    public void Dropout_is_kept_for_those_who_train()
    {
        Assert.Equal("attention_dropout 0.1", Read("llama", ("attention_dropout", 0.1)).Dropout);
        Assert.Null(Read("llama", ("attention_dropout", 0.0)).Dropout);
    }

    [Fact]
    public void Null_switches_off_what_is_on_by_default()
    {
        var read = (Gemma2Config)Read(
            "gemma2", ("attn_logit_softcapping", null), ("final_logit_softcapping", null), ("pad_token_id", null));
        Assert.Equal((null, null, null), (read.AttentionSoftCap, read.FinalSoftCap, read.PadTokenId));
        Assert.Equal(20, ((Gemma3Config)Read("gemma3_text", ("final_logit_softcapping", 20))).FinalSoftCap);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Unsupported_settings_are_named_all_at_once(string family)
    {
        var activation = family is "llama" or "gemma" ? "hidden_act" : "hidden_activation";
        var message = Fault(
            family, (activation, "swishy"), ("quantization_config", Object("""{"bits":4}""")),
            ("num_experts", 8), ("use_bidirectional_attention", true), ("is_causal", false),
            ("rope_scaling", Object("""{"rope_type":"yarn","factor":4}""")), ("partial_rotary_factor", 0.5));
        string[] parts =
        [
            $"{activation} 'swishy'", "quantization_config", "num_experts", "use_bidirectional_attention",
            "is_causal false", "rope_scaling of type 'yarn'", "partial_rotary_factor 0.5",
        ];
        Assert.All(parts, part => Assert.Contains(part, message));
    }

    [Theory]
    [InlineData("dynamic")]
    [InlineData("longrope")]
    [InlineData("su")]
    public void Other_scalings_are_refused_by_name(string kind)
    {
        Assert.Contains($"'{kind}'", Fault("llama", ("rope_parameters", new JsonObject { ["rope_type"] = kind, ["factor"] = 2.0 })));
        Assert.Contains($"'{kind}'", Fault("gemma3_text", ("rope_scaling", new JsonObject { ["type"] = kind, ["factor"] = 2.0 })));
    }

    [Fact]
    public void Settings_of_one_family_are_refused_in_it()
    {
        Assert.Contains("attn_logit_softcapping", Fault("gemma3_text", ("attn_logit_softcapping", 50)));
        Assert.Contains("layer_types with 'chunked_attention'", Fault("gemma3_text", ("layer_types", Types("SFCSFFSF"))));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Settings_that_do_not_act_are_accepted(string family) => Assert.Equal(
        Read(family),
        Read(family, ("attention_dropout", 0.0), ("use_bidirectional_attention", false), ("use_cache", true), ("rope_scaling", null),
            ("num_experts", 0), ("partial_rotary_factor", 1.0), ("torch_dtype", "bfloat16")));

    [Theory]
    [InlineData("llama", "num_attention_heads", 5, "5 does not divide hidden_size 64")]
    [InlineData("llama", "num_key_value_heads", 3, "3 does not divide num_attention_heads 4")]
    [InlineData("gemma", "hidden_size", null, "is absent")]
    [InlineData("llama", "head_dim", 7, "an even number")]
    [InlineData("gemma2", "head_dim", 0, "from 1 to")]
    [InlineData("gemma2", "hidden_size", int.MaxValue, "from 1 to")]
    [InlineData("gemma2", "attn_logit_softcapping", 0, "a positive number")]
    [InlineData("gemma2", "final_logit_softcapping", -30, "a positive number")]
    [InlineData("gemma3_text", "query_pre_attn_scalar", 0, "a positive number")]
    [InlineData("gemma3_text", "sliding_window", 0, "from 1 to")]
    [InlineData("gemma3_text", "rope_local_base_freq", 0, "a positive number")]
    [InlineData("llama", "rope_theta", -1, "a positive number")]
    [InlineData("llama", "rms_norm_eps", 0, "a positive number")]
    [InlineData("llama", "pad_token_id", 100, "below vocab_size 100")]
    [InlineData("gemma", "pad_token_id", -2, "below vocab_size 100")]
    [InlineData("gemma", "model_type", "mistral", "found 'mistral'; expected 'gemma'")]
    public void Wrong_value_is_named(string family, string key, object? value, string expected)
    {
        var message = Fault(family, (key, JsonValue.Create(value)));
        Assert.Contains(expected, message);
        Assert.Contains(key, message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("factor", 0.0)]
    [InlineData("low_freq_factor", 4.0)]
    [InlineData("high_freq_factor", 1.0)]
    [InlineData("original_max_position_embeddings", 0)]
    [InlineData("factor", null)]
    public void Wrong_llama3_scaling_is_named(string key, object? value)
    {
        var section = Object("""
            {"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":64}
            """);
        section[key] = JsonValue.Create(value);
        Assert.Contains("rope_scaling.", Fault("llama", ("rope_scaling", section)));
    }

    private static string Fault(string family, params (string Key, JsonNode? Value)[] changes) =>
        Assert.Throws<CheckpointException>(() => Read(family, changes)).Message;

    private static DecoderConfig Read(string family, params (string Key, JsonNode? Value)[] changes)
    {
        var json = Object("""
            {"hidden_size":64,"intermediate_size":96,"num_hidden_layers":8,"num_attention_heads":4,"num_key_value_heads":2,
             "vocab_size":100,"max_position_embeddings":32}
            """);
        json["model_type"] = family;
        foreach (var (key, value) in changes) json[key] = value?.DeepClone();
        return ReadAny(ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes(json.ToJsonString())), family);
    }

    private static DecoderConfig ReadAny(ModelConfig config, string? family = null) => (family ?? config.ModelType) switch
    {
        "llama" => LlamaConfig.Read(config),
        "gemma" => GemmaConfig.Read(config),
        "gemma2" => Gemma2Config.Read(config),
        _ => Gemma3Config.Read(config),
    };

    private static RotaryConfig RotaryOf(DecoderConfig config) => config switch
    {
        LlamaConfig llama => llama.Rotary,
        GemmaConfig gemma => gemma.Rotary,
        Gemma2Config gemma2 => gemma2.Rotary,
        _ => throw new ArgumentException("two of them", nameof(config)),
    };

    private static string Sliding(string family, params (string Key, JsonNode? Value)[] changes) => Read(family, changes) switch
    {
        Gemma2Config gemma2 => gemma2.Sliding.ToString(),
        Gemma3Config gemma3 => gemma3.Sliding.ToString(),
        _ => "",
    };

    /// <summary>layer_types of S, F and C.</summary>
    private static JsonArray Types(string letters) => [.. letters.Select(letter =>
        JsonValue.Create(letter switch { 'S' => "sliding_attention", 'F' => "full_attention", _ => "chunked_attention" }))];

    private static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();
}
