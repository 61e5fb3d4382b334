using System.Text;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Checkpoints.Tests.Fuzzing;

/// <summary>config.json of the families with grouped-query attention.</summary>
public sealed class DecoderConfigFuzzTests
{
    private const string Sizes = """
        "hidden_size":64,"intermediate_size":96,"num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":100,
        "max_position_embeddings":32,"rms_norm_eps":1e-6,"initializer_range":0.02,"attention_bias":false,"attention_dropout":0.0,
        "id2label":{"0":"a","1":"b"},"bos_token_id":2,"pad_token_id":0,"torch_dtype":"bfloat16"
        """;

    [Theory]
    [InlineData("llama", """
        "hidden_act":"silu","mlp_bias":false,"tie_word_embeddings":false,"rope_theta":500000.0,
        "rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":16}
        """)]
    [InlineData("gemma", """
        "head_dim":16,"hidden_act":"gelu","hidden_activation":null,"rope_theta":10000.0,"rope_scaling":null
        """)]
    [InlineData("gemma2", """
        "head_dim":16,"hidden_activation":"gelu_pytorch_tanh","query_pre_attn_scalar":16,"sliding_window":8,"attn_logit_softcapping":50.0,
        "final_logit_softcapping":30.0,"layer_types":["sliding_attention","full_attention","sliding_attention","full_attention"]
        """)]
    [InlineData("gemma3_text", """
        "head_dim":16,"hidden_activation":"gelu_pytorch_tanh","query_pre_attn_scalar":16,"sliding_window":8,"sliding_window_pattern":2,
        "rope_theta":1000000.0,"rope_local_base_freq":10000.0,"rope_scaling":{"rope_type":"linear","factor":8.0}
        """)]
    public void Damaged_configurations_load_soundly_or_fail_typed(string family, string more)
    {
        var seed = Encoding.UTF8.GetBytes($$"""{"model_type":"{{family}}",{{Sizes}},{{more}}}""");
        new FuzzCampaign($"config.json ({family})", 40_000).Run(
            random => JsonMutator.Mutate(seed, random),
            bytes => CheckSound(Read(family, ModelConfig.Parse("config.json", bytes)), bytes),
            bytes => JsonSpans.Of(bytes) is not { HasRepeatedKeys: false });
    }

    private static DecoderConfig Read(string family, ModelConfig config) => family switch
    {
        "llama" => LlamaConfig.Read(config),
        "gemma" => GemmaConfig.Read(config),
        "gemma2" => Gemma2Config.Read(config),
        _ => Gemma3Config.Read(config),
    };

    private static void CheckSound(DecoderConfig read, byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        // As the file says, or else the class of transformers; 0 where the file has to say.
        var (heads, keyHeads, vocabulary, positions) = read switch
        {
            LlamaConfig => (32, read.HeadCount, 32_000, 2048),
            GemmaConfig => (16, 16, 256_000, 8192),
            Gemma2Config => (8, 4, 256_000, 8192),
            _ => (8, 4, 262_208, 131_072),
        };
        (string Key, int Value, int Preset)[] sizes =
        [
            ("hidden_size", read.HiddenSize, 0), ("intermediate_size", read.IntermediateSize, 0), ("num_hidden_layers", read.LayerCount, 0),
            ("num_attention_heads", read.HeadCount, heads), ("num_key_value_heads", read.KeyValueHeadCount, keyHeads),
            ("vocab_size", read.VocabularySize, vocabulary), ("max_position_embeddings", read.MaxPositions, positions),
        ];
        foreach (var (key, value, preset) in sizes)
        {
            var isSaid = document.RootElement.TryGetProperty(key, out var said) && said.ValueKind != JsonValueKind.Null;
            Assert.Equal(isSaid ? said.GetInt32() : preset, value);
            Assert.InRange(value, 1, 1 << 24);
        }

        Assert.InRange(read.LayerCount, 1, 10_000);
        Assert.Equal(0, read.HeadCount % read.KeyValueHeadCount);
        Assert.Equal(0, read.HeadSize % 2);
        Assert.InRange(read.HeadSize, 2, 1 << 24);
        Assert.True(double.IsFinite(read.RmsNormEpsilon) && read.RmsNormEpsilon > 0);
        Assert.True(double.IsFinite(read.InitializerRange) && read.InitializerRange >= 0);
        Assert.InRange(read.NumLabels ?? 1, 1, int.MaxValue);
        Assert.InRange(read.PadTokenId ?? 0, 0, read.VocabularySize - 1);
        foreach (var rotary in (RotaryConfig[])[.. Rotaries(read)]) Assert.True(double.IsFinite(rotary.Theta) && rotary.Theta > 0);
        if (read is Gemma3Config gemma) Assert.Equal(read.LayerCount, gemma.Sliding.ToString().Length);
    }

    private static IEnumerable<RotaryConfig> Rotaries(DecoderConfig read) => read switch
    {
        LlamaConfig llama => [llama.Rotary],
        GemmaConfig gemma => [gemma.Rotary],
        Gemma2Config gemma => [gemma.Rotary],
        Gemma3Config gemma => [gemma.GlobalRotary, gemma.LocalRotary],
        _ => [],
    };
}
