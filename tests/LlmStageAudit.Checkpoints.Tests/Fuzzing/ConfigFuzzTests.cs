using System.Text.Json;
using System.Text;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Checkpoints.Tests.Fuzzing;

public sealed class ConfigFuzzTests
{
    private static readonly byte[][] Seeds =
    [
        Encoding.UTF8.GetBytes("""
            {"architectures":["GPTNeoXForCausalLM"],"model_type":"gpt_neox","hidden_size":64,"intermediate_size":256,"num_hidden_layers":2,
            "num_attention_heads":4,"vocab_size":100,"max_position_embeddings":32,"rotary_pct":0.25,"rotary_emb_base":10000,
            "layer_norm_eps":1e-5,"hidden_act":"gelu","use_parallel_residual":true,"pad_token_id":0,"initializer_range":0.02,
            "tie_word_embeddings":false,"id2label":{"0":"a","1":"b"},"hidden_dropout":0.0,"attention_bias":true}
            """),
        Encoding.UTF8.GetBytes("""
            {"model_type":"gpt_neox","hidden_size":48,"intermediate_size":96,"num_hidden_layers":1,"num_attention_heads":3,"vocab_size":50,
            "max_position_embeddings":16,"rope_parameters":{"rope_theta":500000.0,"partial_rotary_factor":0.5,"rope_type":"default"},
            "num_labels":3,"pad_token_id":null,"rope_scaling":null,"hidden_act":"gelu_new"}
            """),
    ];

    /// <summary>What loads is inside the documented ranges and says what the file says.</summary>
    [Fact]
    public void Damaged_configurations_load_soundly_or_fail_typed() => new FuzzCampaign("config.json (gpt_neox)", 50_000).Run(
        random => JsonMutator.Mutate(Seeds[random.Next(Seeds.Length)], random),
        bytes => CheckSound(GptNeoXConfig.Read(ModelConfig.Parse("config.json", bytes)), bytes),
        bytes => JsonSpans.Of(bytes) is not { HasRepeatedKeys: false });

    private static void CheckSound(GptNeoXConfig read, byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        // As the file says, or else the class of transformers; 0 where the file has to say.
        (string Key, int Value, int Preset)[] sizes =
        [
            ("hidden_size", read.HiddenSize, 0), ("intermediate_size", read.IntermediateSize, 0), ("num_hidden_layers", read.LayerCount, 0),
            ("num_attention_heads", read.HeadCount, 64), ("vocab_size", read.VocabularySize, 50_432),
            ("max_position_embeddings", read.MaxPositions, 2048),
        ];
        foreach (var (key, value, preset) in sizes)
        {
            var isSaid = document.RootElement.TryGetProperty(key, out var said) && said.ValueKind != JsonValueKind.Null;
            Assert.Equal(isSaid ? said.GetInt32() : preset, value);
            Assert.InRange(value, 1, 1 << 24);
        }

        Assert.Equal(0, read.HiddenSize % read.HeadCount);
        Assert.InRange(read.RotaryDimensions, 2, read.HeadSize);
        Assert.Equal(0, read.RotaryDimensions % 2);
        Assert.True(double.IsFinite(read.Rotary.Theta) && read.Rotary.Theta > 0);
        Assert.True(double.IsFinite(read.LayerNormEpsilon) && read.LayerNormEpsilon > 0);
        Assert.True(double.IsFinite(read.InitializerRange) && read.InitializerRange >= 0);
        Assert.InRange(read.NumLabels ?? 1, 1, int.MaxValue);
        Assert.InRange(read.PadTokenId ?? 0, 0, read.VocabularySize - 1);
        Assert.Contains(read.Activation, new[] { "gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu", "silu" });
    }
}
