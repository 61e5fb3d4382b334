namespace LlmStageAudit.Checkpoints.Adapters;

/// <summary>Reads PEFT's adapter_config.json. Defaults are those of PEFT's LoraConfig.</summary>
internal static class LoraConfigReader
{
    private const long LongestBytes = 4 << 20;
    private const int LargestRank = 1 << 20;
    private const int MostPatterns = 10_000;

    /// <summary>Variants that change what the adapter computes; each must be absent, null, false or empty.</summary>
    private static readonly string[] Variants =
    [
        "alora_invocation_tokens", "arrow_config", "kasa_config", "layer_replication", "lora_bias", "monteclora_config",
        "target_parameters", "trainable_token_indices", "use_bdlora", "use_dora", "use_qalora", "velora_config",
    ];

    /// <summary>Starts that leave the base as it is, so that a trained adapter fits it. Any other is taken to change it.</summary>
    private static readonly string[] Starts =
        [LoraStart.Kaiming, LoraStart.Linear, LoraStart.Gaussian, "eva", LoraStart.Mica, "orthogonal"];

    /// <summary>Keys that are read here, or that matter to PEFT's quantizers, its records or a start that is named elsewhere.</summary>
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "corda_config", "ensure_weight_tying", "eva_config",
        "exclude_modules", "fan_in_fan_out", "inference_mode", "init_lora_weights", "layers_pattern", "layers_to_transform",
        "loftq_config", "lora_alpha", "lora_dropout", "lora_ga_config", "megatron_config", "megatron_core", "modules_to_save",
        "peft_type", "peft_version", "qalora_group_size", "r", "rank_pattern", "revision", "runtime_config", "target_modules",
        "task_type", "use_rslora",
    };

    public static LoraConfig Read(string path)
    {
        var json = JsonSection.Read(path, LongestBytes);
        var type = json.FindString("peft_type") ?? throw json.Absent("peft_type", "'LORA'");
        if (type != "LORA") throw json.Fault("peft_type", $"found {MessageText.Quote(type)}", "'LORA'");
        RefuseUnsupported(json);
        RefuseLayersOfPattern(json);
        var (targets, targetPattern) = ReadNames(json, "target_modules");
        if (targets.Count == 0 && targetPattern is null)
        {
            throw json.Absent("target_modules", "a list of module names or a pattern, such as [\"query_key_value\"] for gpt_neox");
        }

        var (excluded, excludePattern) = ReadNames(json, "exclude_modules");
        var dropout = json.FindDouble("lora_dropout") ?? 0;
        if (dropout is < 0 or >= 1) throw json.Wrong("lora_dropout", json.Find("lora_dropout")!.Value, "a rate in [0, 1)");
        return new LoraConfig
        {
            Rank = json.FindInt("r", 1, LargestRank) ?? 8,
            Alpha = json.FindDouble("lora_alpha") ?? 8,
            UseRslora = json.FindBool("use_rslora") ?? false,
            TargetModules = targets,
            TargetPattern = targetPattern,
            ModulesToSave = json.FindStrings("modules_to_save") ?? [],
            TaskType = json.FindString("task_type"),
            BaseModelNameOrPath = json.FindString("base_model_name_or_path"),
            Revision = json.FindString("revision"),
            PeftVersion = json.FindString("peft_version"),
            Dropout = dropout,
            Bias = json.FindString("bias") ?? "none",
            RankPattern = ReadPattern(json, "rank_pattern", (section, pattern) => section.FindInt(pattern, 1, LargestRank)),
            AlphaPattern = ReadPattern(json, "alpha_pattern", (section, pattern) => section.FindDouble(pattern)),
            LayersToTransform = ReadLayers(json),
            LayersPattern = ReadLayersPattern(json),
            ExcludeModules = excluded,
            ExcludePattern = excludePattern,
            FanInFanOut = json.FindBool("fan_in_fan_out") ?? false,
            Start = StartOf(json),
            EnsureWeightTying = json.FindBool("ensure_weight_tying"),
            Warnings = [.. Warnings(json)],
        };
    }

    private static void RefuseUnsupported(JsonSection json)
    {
        var found = Variants.Where(key => json.Find(key) is { } value && !IsOff(value)).ToList();
        var bias = json.FindString("bias") ?? "none";
        if (bias is not ("none" or "all" or "lora_only")) found.Add($"bias {MessageText.Quote(bias)} (only none, all or lora_only)");
        if (StartOf(json) is var start && !Starts.Contains(start))
            found.Add($"init_lora_weights {MessageText.Quote(start)} (it may change the base weights too; convert it to plain LoRA)");

        // What a later PEFT writes may be another kind of LoRA: nothing that is not understood is taken to do nothing.
        found.AddRange(json.Keys
            .Where(key => !Known.Contains(key) && !Variants.Contains(key) && json.Find(key) is { } value && !IsOff(value))
            .Select(key => $"{MessageText.Quote(key)}, a key that is not known here (remove it if the adapter is plain LoRA without it)"));
        if (found.Count > 0)
            throw CheckpointException.Unsupported(json.Path, found, "plain LoRA", "the results would not be this adapter's");
    }

    /// <summary>init_lora_weights as text; what is false in Python is the start of PyTorch's own linear layers.</summary>
    private static string StartOf(JsonSection json)
    {
        const string key = "init_lora_weights";
        if (!json.Keys.Contains(key)) return LoraStart.Kaiming;
        return json.Find(key) switch
        {
            null or { ValueKind: JsonValueKind.False } => LoraStart.Linear,
            { ValueKind: JsonValueKind.True } => LoraStart.Kaiming,
            _ => json.FindString(key)!.ToLowerInvariant() is { Length: > 0 } start ? start : LoraStart.Linear,
        };
    }

    /// <summary>As PEFT does: layers are counted in listed modules only, and patterns of lists mean nothing without layers.</summary>
    private static void RefuseLayersOfPattern(JsonSection json)
    {
        const string key = "layers_to_transform";
        if (json.Find("target_modules") is { ValueKind: JsonValueKind.String } && json.Has(key))
            throw json.Fault(key, "stands beside a pattern of target_modules", "layers in the pattern, or a list of modules");
        if (!json.Has(key) && json.Find("layers_pattern") is { } pattern && pattern.ValueKind is JsonValueKind.String or JsonValueKind.Array
            && pattern.GetRawText() is not ("\"\"" or "[]"))
        {
            throw json.Fault("layers_pattern", $"stands without {key}", $"{key} beside it, or null");
        }
    }

    private static bool IsOff(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.False => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };

    private static (IReadOnlyList<string> Names, string? Pattern) ReadNames(JsonSection json, string key)
    {
        if (json.Find(key) is not { ValueKind: JsonValueKind.String }) return (json.FindStrings(key) ?? [], null);
        var pattern = json.FindString(key)!;
        if (pattern.Length == 0) return ([], null);
        ModulePattern.Check(json.Where(key), pattern);
        return ([], pattern);
    }

    private static List<KeyValuePair<string, T>> ReadPattern<T>(JsonSection json, string key, Func<JsonSection, string, T?> read)
        where T : struct
    {
        var pairs = new List<KeyValuePair<string, T>>();
        if (json.FindSection(key) is not { } section) return pairs;
        var patterns = section.Keys.ToList();
        if (patterns.Count > MostPatterns) throw json.Fault(key, $"holds {patterns.Count} patterns", $"at most {MostPatterns}");
        foreach (var pattern in patterns)
        {
            ModulePattern.Check(json.Where(key), pattern);
            pairs.Add(new(pattern, read(section, pattern) ?? throw section.Absent(pattern, "a number")));
        }

        return pairs;
    }

    private static IReadOnlyList<int> ReadLayers(JsonSection json)
    {
        const string key = "layers_to_transform";
        if (json.Find(key) is not { } value) return [];
        return value.ValueKind switch
        {
            JsonValueKind.Number => [Layer(value, "an integer")],
            JsonValueKind.Array => [.. value.EnumerateArray().Select(item => Layer(item, "a list of integers"))],
            _ => throw json.Wrong(key, value, "a list of integers"),
        };

        int Layer(JsonElement item, string expected) =>
            item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var layer) ? throw json.Wrong(key, item, expected)
            : layer is < 0 or > int.MaxValue ? throw json.Fault(key, Invariant($"found {layer}"), "layer indices from 0")
            : (int)layer;
    }

    private static IReadOnlyList<string> ReadLayersPattern(JsonSection json)
    {
        const string key = "layers_pattern";
        var patterns = json.Find(key) is { ValueKind: JsonValueKind.String } ? [json.FindString(key)!] : json.FindStrings(key) ?? [];
        foreach (var pattern in patterns) ModulePattern.Check(json.Where(key), pattern);
        return [.. patterns.Where(pattern => pattern.Length > 0)];
    }

    private static IEnumerable<string> Warnings(JsonSection json)
    {
        if (json.FindBool("fan_in_fan_out") == true)
        {
            yield return $"{json.Where("fan_in_fan_out")}: true does not fit linear modules and is ignored, as PEFT ignores it";
        }
    }
}
