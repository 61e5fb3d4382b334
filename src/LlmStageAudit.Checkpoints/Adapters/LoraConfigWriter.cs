using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Checkpoints.Adapters;

/// <summary>Writes adapter_config.json with the keys, their order and the layout that PEFT's save_pretrained produces.</summary>
internal static class LoraConfigWriter
{
    private static readonly JsonWriterOptions Layout = new()
    {
        Indented = true,
        IndentSize = 2,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly string[] AlwaysFalse = ["lora_bias", "use_dora", "use_qalora"];

    private static readonly string[] AlwaysNull =
    [
        "auto_mapping", "corda_config", "eva_config", "layer_replication", "megatron_config", "target_parameters",
        "trainable_token_indices",
    ];

    public static void Write(string path, LoraConfig config) => AtomicFile.Write(path, stream => stream.Write(ToJson(config)));

    public static byte[] ToJson(LoraConfig config)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Layout))
        {
            writer.WriteStartObject();
            foreach (var (key, write) in Values(config))
            {
                writer.WritePropertyName(key);
                write(writer);
            }

            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static SortedDictionary<string, Action<Utf8JsonWriter>> Values(LoraConfig config)
    {
        var values = new SortedDictionary<string, Action<Utf8JsonWriter>>(StringComparer.Ordinal)
        {
            ["alpha_pattern"] = writer => WriteMap(writer, config.AlphaPattern, WriteNumber),
            ["base_model_name_or_path"] = writer => writer.WriteStringValue(config.BaseModelNameOrPath),
            ["bias"] = writer => writer.WriteStringValue(config.Bias),
            ["exclude_modules"] = writer => WriteNames(writer, config.ExcludeModules, config.ExcludePattern),
            ["fan_in_fan_out"] = writer => writer.WriteBooleanValue(config.FanInFanOut),
            ["inference_mode"] = writer => writer.WriteBooleanValue(true),
            ["init_lora_weights"] = writer => writer.WriteBooleanValue(true),
            ["layers_pattern"] = writer => WriteNames(writer, config.LayersPattern, null),
            ["layers_to_transform"] = writer => WriteLayers(writer, config.LayersToTransform),
            ["loftq_config"] = writer => WriteMap(writer, Array.Empty<KeyValuePair<string, int>>(), (_, _) => { }),
            ["lora_alpha"] = writer => WriteNumber(writer, config.Alpha),
            ["lora_dropout"] = writer => WriteFloat(writer, config.Dropout),
            ["megatron_core"] = writer => writer.WriteStringValue("megatron.core"),
            ["modules_to_save"] = writer => WriteNames(writer, config.SavedModules, null),
            ["peft_type"] = writer => writer.WriteStringValue("LORA"),
            ["r"] = writer => writer.WriteNumberValue(config.Rank),
            ["rank_pattern"] = writer => WriteMap(writer, config.RankPattern, (to, rank) => to.WriteNumberValue(rank)),
            ["revision"] = writer => writer.WriteStringValue(config.Revision),
            ["target_modules"] = writer => WriteNames(writer, config.TargetModules, config.TargetPattern),
            ["task_type"] = writer => writer.WriteStringValue(config.TaskType),
            ["use_rslora"] = writer => writer.WriteBooleanValue(config.UseRslora),
        };
        foreach (var key in AlwaysFalse) values[key] = writer => writer.WriteBooleanValue(false);
        foreach (var key in AlwaysNull) values[key] = writer => writer.WriteNullValue();

        // The version tells PEFT which keys to expect; a folder that PEFT did not write has none to tell.
        if (config.PeftVersion is { } version) values["peft_version"] = writer => writer.WriteStringValue(version);
        return values;
    }

    private static void WriteNames(Utf8JsonWriter writer, IReadOnlyList<string> names, string? pattern)
    {
        if (pattern is not null) writer.WriteStringValue(pattern);
        else if (names.Count == 0) writer.WriteNullValue();
        else WriteList(writer, names, (to, name) => to.WriteStringValue(name));
    }

    private static void WriteLayers(Utf8JsonWriter writer, IReadOnlyList<int> layers)
    {
        if (layers.Count == 0) writer.WriteNullValue();
        else WriteList(writer, layers, (to, layer) => to.WriteNumberValue(layer));
    }

    private static void WriteList<T>(Utf8JsonWriter writer, IReadOnlyList<T> items, Action<Utf8JsonWriter, T> write)
    {
        writer.WriteStartArray();
        foreach (var item in items) write(writer, item);
        writer.WriteEndArray();
    }

    private static void WriteMap<T>(Utf8JsonWriter writer, IReadOnlyList<KeyValuePair<string, T>> pairs, Action<Utf8JsonWriter, T> write)
    {
        writer.WriteStartObject();
        foreach (var (key, value) in pairs)
        {
            writer.WritePropertyName(key);
            write(writer, value);
        }

        writer.WriteEndObject();
    }

    /// <summary>Whole numbers without a point, as lora_alpha usually stands.</summary>
    private static void WriteNumber(Utf8JsonWriter writer, double value)
    {
        if (value == Math.Floor(value) && Math.Abs(value) < 1L << 53) writer.WriteNumberValue((long)value);
        else writer.WriteNumberValue(value);
    }

    /// <summary>Always with a point or an exponent, as Python writes a float.</summary>
    private static void WriteFloat(Utf8JsonWriter writer, double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        writer.WriteRawValue(text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text);
    }
}
