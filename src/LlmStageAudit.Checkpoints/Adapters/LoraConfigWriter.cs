using System.Text.Json.Nodes;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Checkpoints.Adapters;

/// <summary>Writes adapter_config.json with the keys, their order and the layout that PEFT's save_pretrained produces.</summary>
internal static class LoraConfigWriter
{
    private static readonly string[] AlwaysFalse = ["lora_bias", "use_dora", "use_qalora"];

    private static readonly string[] AlwaysNull =
    [
        "auto_mapping", "corda_config", "eva_config", "layer_replication", "megatron_config", "target_parameters",
        "trainable_token_indices",
    ];

    public static void Write(string path, LoraConfig config) => AtomicFile.Write(path, stream => stream.Write(ToJson(config)));

    public static byte[] ToJson(LoraConfig config)
    {
        var values = new SortedDictionary<string, object?>(StringComparer.Ordinal)
        {
            ["alpha_pattern"] = Map(config.AlphaPattern, Number),
            ["base_model_name_or_path"] = config.BaseModelNameOrPath,
            ["bias"] = config.Bias,
            ["exclude_modules"] = config.ExcludePattern ?? ListOrNull(config.ExcludeModules),
            ["fan_in_fan_out"] = config.FanInFanOut,
            ["inference_mode"] = true,
            ["init_lora_weights"] = bool.TryParse(config.Start, out var start) ? start : config.Start,
            ["layers_pattern"] = ListOrNull(config.LayersPattern),
            ["layers_to_transform"] = ListOrNull(config.LayersToTransform),
            ["loftq_config"] = new JsonObject(),
            ["lora_alpha"] = Number(config.Alpha),
            ["lora_dropout"] = Float(config.Dropout),
            ["megatron_core"] = "megatron.core",
            ["modules_to_save"] = ListOrNull(config.SavedModules),
            ["peft_type"] = "LORA",
            ["r"] = config.Rank,
            ["rank_pattern"] = Map(config.RankPattern, rank => rank),
            ["revision"] = config.Revision,
            ["target_modules"] = config.TargetPattern ?? ListOrNull(config.TargetModules),
            ["task_type"] = config.TaskType,
            ["use_rslora"] = config.UseRslora,
        };
        foreach (var key in AlwaysFalse) values[key] = false;
        foreach (var key in AlwaysNull) values[key] = null;

        // Before PEFT 0.18 the key is not known.
        if (config.EnsureWeightTying is { } tying) values["ensure_weight_tying"] = tying;

        // The version tells PEFT which keys to expect; a folder that PEFT did not write has none to tell.
        if (config.PeftVersion is { } version) values["peft_version"] = version;
        return JsonSerializer.SerializeToUtf8Bytes(values, JsonSection.Readable);
    }

    private static object? ListOrNull<T>(IReadOnlyList<T> items) => items.Count == 0 ? null : items;

    private static OrderedDictionary<string, object> Map<T>(IEnumerable<KeyValuePair<string, T>> pairs, Func<T, object> write) =>
        new(pairs.Select(pair => KeyValuePair.Create(pair.Key, write(pair.Value))), StringComparer.Ordinal);

    /// <summary>Whole numbers without a point, as lora_alpha usually stands.</summary>
    private static object Number(double value) => value == Math.Floor(value) && Math.Abs(value) < 1L << 53 ? (long)value : value;

    /// <summary>Always with a point or an exponent, as Python writes a float.</summary>
    private static JsonNode? Float(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return JsonNode.Parse(text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text);
    }
}
