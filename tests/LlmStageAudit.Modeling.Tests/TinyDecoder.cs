using System.Text.Json.Nodes;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests;

/// <summary>
/// Small models of every family in which each of the family's details acts: windows shorter than the rows, caps near the
/// values they bound, a scalar that is no head size, key heads that are shared.
/// </summary>
internal static class TinyDecoder
{
    public const int Hidden = 12;
    public const int Vocabulary = 30;

    public static string[] Families { get; } = ["gpt_neox", "llama", "gemma", "gemma2", "gemma3_text"];

    /// <param name="folder">Where.</param>
    /// <param name="family">model_type.</param>
    /// <param name="changes">Keys to set in config.json, as a JSON object.</param>
    /// <returns>The model folder; it holds no weights.</returns>
    public static string Write(TemporaryFolder folder, string family, string changes = "{}", string name = "model")
    {
        var json = Object("""
            {
              "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 3, "num_attention_heads": 4,
              "num_key_value_heads": 2, "head_dim": 6, "vocab_size": 30, "max_position_embeddings": 24, "rms_norm_eps": 1e-3,
              "layer_norm_eps": 1e-3, "initializer_range": 0.3, "pad_token_id": 0, "rope_theta": 50
            }
            """);
        json["model_type"] = family;
        Set(json, family switch
        {
            "gpt_neox" => """
                { "hidden_size": 24, "rotary_pct": 0.67, "tie_word_embeddings": false, "rope_theta": null, "rotary_emb_base": 50 }
                """,
            "llama" => """{ "tie_word_embeddings": false, "attention_bias": true, "mlp_bias": true }""",
            "gemma" => """{ "num_key_value_heads": 1, "tie_word_embeddings": true }""",
            "gemma2" => """
                { "query_pre_attn_scalar": 10, "sliding_window": 3, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 5.0 }
                """,
            _ => """
                { "query_pre_attn_scalar": 10, "sliding_window": 3, "sliding_window_pattern": 2, "rope_local_base_freq": 10,
                  "rope_scaling": { "rope_type": "linear", "factor": 3.0 } }
                """,
        });
        Set(json, changes);
        folder.Write(Path.Combine(name, "config.json"), json.ToJsonString());
        return folder.At(name);
    }

    private static void Set(JsonObject json, string changes)
    {
        foreach (var (key, value) in Object(changes)) json[key] = value?.DeepClone();
    }

    private static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();
}
