namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// The keys of config.json that are read here, and those that every configuration of transformers may have and that do not change what a
/// model computes: records, generation, outputs, ways to compute. Whatever else is set may be of a class that is not known here.
/// </summary>
internal static class KnownKeys
{
    private static readonly HashSet<string> Read = new(StringComparer.Ordinal)
    {
        "architectures", "attention_bias", "attention_dropout", "attn_logit_softcapping", "classifier_dropout", "compression_config",
        "final_logit_softcapping", "head_dim", "hidden_act", "hidden_activation", "hidden_dropout", "hidden_size", "id2label",
        "initializer_range", "intermediate_size", "is_causal", "label2id", "layer_norm_eps", "layer_types", "max_position_embeddings",
        "mlp_bias", "model_type", "moe_intermediate_size", "n_routed_experts", "num_attention_heads", "num_experts", "num_experts_per_tok",
        "num_hidden_layers", "num_key_value_heads", "num_labels", "num_local_experts", "pad_token_id", "partial_rotary_factor",
        "problem_type", "quantization_config", "query_pre_attn_scalar", "rms_norm_eps", "rope_local_base_freq", "rope_parameters",
        "rope_scaling", "rope_theta", "rotary_emb_base", "rotary_pct", "sliding_window", "sliding_window_pattern", "tie_word_embeddings",
        "use_bidirectional_attention", "use_parallel_residual", "vocab_size",
    };

    private static readonly HashSet<string> Inert = new(StringComparer.Ordinal)
    {
        "attention_probs_dropout_prob", "attn_implementation", "bad_words_ids", "begin_suppress_tokens", "bos_token_id",
        "cache_implementation", "chunk_size_feed_forward", "decoder_start_token_id", "diversity_penalty", "do_sample", "dtype",
        "early_stopping", "encoder_no_repeat_ngram_size", "eos_token_id", "exponential_decay_length_penalty", "finetuning_task", "forced_bos_token_id",
        "forced_eos_token_id", "hidden_dropout_prob", "is_decoder", "is_encoder_decoder", "length_penalty", "max_length",
        "max_sequence_length", "min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences",
        "output_attentions", "output_hidden_states", "output_scores", "prefix", "pretraining_tp", "remove_invalid_values",
        "repetition_penalty", "return_dict", "return_dict_in_generate", "rotary_dim", "sep_token_id", "suppress_tokens",
        "task_specific_params", "temperature", "tf_legacy_loss", "tokenizer_class", "top_k", "top_p", "torch_dtype", "torchscript",
        "transformers_version", "typical_p", "use_bfloat16", "use_cache",
    };

    /// <summary>Keys that are not known and not off; names that begin with an underscore are private records.</summary>
    public static IReadOnlyList<string> Strangers(ModelConfig config) =>
    [
        .. config.Keys.Where(key => !key.StartsWith('_') && !key.StartsWith("unsloth", StringComparison.Ordinal)
            && !Read.Contains(key) && !Inert.Contains(key) && config.Find(key) is { } value && IsOn(value)),
    ];

    private static bool IsOn(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.False => false,
        JsonValueKind.String => JsonSection.Text(value) is not "",
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        JsonValueKind.Number => !(value.TryGetDouble(out var number) && number == 0),
        _ => true,
    };
}
