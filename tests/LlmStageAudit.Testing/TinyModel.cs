using System.Globalization;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Testing;

/// <summary>
/// A GPT-NeoX of 2 layers and 16 hidden dimensions whose weights come from a seed: a config.json is all it needs. Its weights
/// are large (standard deviation 0.3), so that curvature and position matter.
/// </summary>
public static class TinyModel
{
    public const int Vocabulary = 50;

    /// <returns>The model folder.</returns>
    public static string Write(
        TemporaryFolder folder, bool parallelResidual = true, int? padTokenId = 0, string name = "model", int vocabulary = Vocabulary)
    {
        var pad = padTokenId?.ToString(CultureInfo.InvariantCulture) ?? "null";
        folder.Write(Path.Combine(name, "config.json"), $$"""
            {
              "model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "hidden_size": 16, "intermediate_size": 32,
              "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": {{vocabulary}}, "max_position_embeddings": 24,
              "rotary_pct": 0.5, "rotary_emb_base": 100, "layer_norm_eps": 1e-5, "hidden_act": "gelu", "initializer_range": 0.3,
              "use_parallel_residual": {{(parallelResidual ? "true" : "false")}}, "tie_word_embeddings": false, "pad_token_id": {{pad}}
            }
            """);
        return folder.At(name);
    }

    /// <summary>The model of a folder with random weights on the <see cref="TestDevice"/>; float64 unless said otherwise.</summary>
    public static (LanguageModel Model, Tensor State) Load(
        string folder, ModelTask task, AdapterSource? adapter = null, ScalarType dtype = ScalarType.Float64, long seed = 3, int labels = 2) =>
        LanguageModelLoader.Load(folder, new LanguageModelOptions
        {
            Task = task,
            Labels = labels,
            Adapter = adapter,
            Weights = ModelWeights.Random,
            Seed = seed,
            Dtype = dtype,
            Device = TestDevice.Current,
        });
}
