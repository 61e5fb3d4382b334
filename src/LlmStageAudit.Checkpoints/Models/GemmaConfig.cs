namespace LlmStageAudit.Checkpoints.Models;

/// <summary>What fixes the arithmetic of a Gemma 1 model, read from either spelling of config.json.</summary>
public sealed record GemmaConfig : DecoderConfig
{
    private GemmaConfig(ModelConfig config, UnsupportedSettings unsupported)
        : base(config, unsupported, FamilyPresets.Gemma(
            "gemma", "hidden_act", ActivationOf(config, unsupported), heads: 16, keyHeads: 16, vocabulary: 256_000, positions: 8192)) =>
        Rotary = ReadRotary(config, unsupported);

    /// <summary>The rotary position embedding.</summary>
    public RotaryConfig Rotary { get; }

    /// <summary>Reads the configuration, with transformers' defaults for absent keys.</summary>
    /// <exception cref="CheckpointException">Another family, a wrong value, or settings that act but are not supported.</exception>
    public static GemmaConfig Read(ModelConfig config) =>
        UnsupportedSettings.Refuse(config, unsupported => new GemmaConfig(config, unsupported));

    /// <summary>
    /// Earlier versions of transformers read hidden_activation, the tanh form where it is absent; later ones read hidden_act. "gelu" under
    /// the latter is the tanh form even so: the first files were published with it by mistake, for models trained with the tanh form
    /// (transformers pull request 29402), and their descendants copied it. Anything else that the two read differently is refused.
    /// </summary>
    private static string ActivationOf(ModelConfig config, UnsupportedSettings unsupported)
    {
        const string tanh = "gelu_pytorch_tanh";
        var (earlier, later) = (config.FindString("hidden_activation") ?? tanh, config.FindString("hidden_act") ?? tanh);
        if (earlier != later && (earlier, later) is not (tanh, "gelu"))
        {
            unsupported.Add($"hidden_activation {MessageText.Quote(earlier)} beside hidden_act {MessageText.Quote(later)} "
                + "(versions of transformers read one or the other; give both the same value)");
        }

        return earlier;
    }
}

/// <summary>What fixes the arithmetic of a Gemma 2 model, read from either spelling of config.json.</summary>
public sealed record Gemma2Config : DecoderConfig
{
    private Gemma2Config(ModelConfig config, UnsupportedSettings unsupported)
        : base(config, unsupported, FamilyPresets.Gemma(
            "gemma2", "hidden_activation", config.FindString("hidden_activation") ?? "gelu_pytorch_tanh", heads: 8, keyHeads: 4,
            vocabulary: 256_000, positions: 8192))
    {
        Rotary = ReadRotary(config, unsupported);
        QueryPreAttentionScalar = config.FindPositive("query_pre_attn_scalar") ?? 256;
        Sliding = SlidingLayers.Read(config, LayerCount, pattern: 2, unsupported);
        SlidingWindow = Sliding.Window(config);
        AttentionSoftCap = config.Keys.Contains("attn_logit_softcapping") ? config.FindPositive("attn_logit_softcapping") : 50;
        FinalSoftCap = config.Keys.Contains("final_logit_softcapping") ? config.FindPositive("final_logit_softcapping") : 30;
    }

    /// <summary>The rotary position embedding.</summary>
    public RotaryConfig Rotary { get; }

    /// <summary>Attention scores are divided by its square root.</summary>
    public double QueryPreAttentionScalar { get; }

    /// <summary>Tokens a sliding layer sees, the current one included.</summary>
    public int SlidingWindow { get; }

    /// <summary>Every other layer, from the first on, unless layer_types says otherwise.</summary>
    public SlidingLayers Sliding { get; }

    /// <summary>Bound of the attention scores; null for none.</summary>
    public double? AttentionSoftCap { get; }

    /// <summary>Bound of the language model's logits; null for none.</summary>
    public double? FinalSoftCap { get; }

    /// <summary>Reads the configuration, with transformers' defaults for absent keys.</summary>
    /// <exception cref="CheckpointException">Another family, a wrong value, or settings that act but are not supported.</exception>
    public static Gemma2Config Read(ModelConfig config) =>
        UnsupportedSettings.Refuse(config, unsupported => new Gemma2Config(config, unsupported));
}

/// <summary>What fixes the arithmetic of a Gemma 3 text model, read from either spelling of config.json.</summary>
public sealed record Gemma3Config : DecoderConfig
{
    private Gemma3Config(ModelConfig config, UnsupportedSettings unsupported)
        : base(config, unsupported, FamilyPresets.Gemma(
            "gemma3_text", "hidden_activation", config.FindString("hidden_activation") ?? "gelu_pytorch_tanh", heads: 8, keyHeads: 4,
            vocabulary: 262_208, positions: 131_072))
    {
        var rope = config.FindSection("rope_parameters");
        var (full, sliding) = (rope?.FindSection("full_attention"), rope?.FindSection("sliding_attention"));
        if (rope is not null && full is null && sliding is null)
            throw config.Fault("rope_parameters", "names no kind of layer", "full_attention and sliding_attention, each with its settings");
        var scaling = config.FindSection("rope_scaling");
        if (scaling?.Has("full_attention") == true || scaling?.Has("sliding_attention") == true)
            unsupported.Add("rope_scaling by kinds of layers (name it rope_parameters)");
        GlobalRotary = RotaryConfig.Read(
            unsupported,
            1_000_000,
            [(full, "rope_theta"), (scaling, "rope_theta"), (config, "rope_theta")],
            [(full, "rope_parameters.full_attention"), (scaling, "rope_scaling")]);
        LocalRotary = RotaryConfig.Read(
            unsupported,
            10_000,
            [(sliding, "rope_theta"), (config, "rope_local_base_freq")],
            [(sliding, "rope_parameters.sliding_attention")]);
        QueryPreAttentionScalar = config.FindPositive("query_pre_attn_scalar") ?? 256;
        Sliding = SlidingLayers.Read(config, LayerCount, config.FindInt("sliding_window_pattern", 1) ?? 6, unsupported);
        SlidingWindow = Sliding.Window(config);
        FinalSoftCap = config.FindPositive("final_logit_softcapping");
        if (config.Has("attn_logit_softcapping")) unsupported.Add("attn_logit_softcapping (Gemma 3 normalises queries and keys instead)");
    }

    /// <summary>Of the layers that see everything before; rope_scaling acts on these only.</summary>
    public RotaryConfig GlobalRotary { get; }

    /// <summary>Of the sliding layers.</summary>
    public RotaryConfig LocalRotary { get; }

    /// <summary>Attention scores are divided by its square root.</summary>
    public double QueryPreAttentionScalar { get; }

    /// <summary>Tokens a sliding layer sees, the current one included.</summary>
    public int SlidingWindow { get; }

    /// <summary>All but every sixth layer (sliding_window_pattern), unless layer_types says otherwise.</summary>
    public SlidingLayers Sliding { get; }

    /// <summary>Bound of the language model's logits; null, as usual, for none.</summary>
    public double? FinalSoftCap { get; }

    /// <summary>Reads the configuration, with transformers' defaults for absent keys.</summary>
    /// <exception cref="CheckpointException">Another family, a wrong value, or settings that act but are not supported.</exception>
    public static Gemma3Config Read(ModelConfig config) =>
        UnsupportedSettings.Refuse(config, unsupported => new Gemma3Config(config, unsupported));
}

/// <summary>Which layers attend to a sliding window and which to everything before; equal where every layer is.</summary>
public sealed record SlidingLayers
{
    private const int DefaultWindow = 4096;

    private readonly string _letters;

    private SlidingLayers(IEnumerable<bool> sliding) => _letters = string.Concat(sliding.Select(isSliding => isSliding ? 'S' : 'F'));

    /// <summary>Whether that layer, counted from 0, sees only its window.</summary>
    public bool this[int layer] => _letters[layer] == 'S';

    /// <summary>The window of these layers. Written as null it is refused while a layer slides, as transformers refuses it.</summary>
    internal int Window(ModelConfig config)
    {
        const string key = "sliding_window";
        if (config.Keys.Contains(key) && !config.Has(key) && _letters.Contains('S', StringComparison.Ordinal))
            throw config.Fault(key, "is null, and layers slide", "a number of tokens, or layer_types without sliding_attention");
        return config.FindInt(key, 1) ?? DefaultWindow;
    }

    /// <summary>layer_types, or else every layer but each <paramref name="pattern"/>-th.</summary>
    internal static SlidingLayers Read(ModelConfig config, int layerCount, int pattern, UnsupportedSettings unsupported)
    {
        if (config.FindStrings("layer_types") is not { } types)
            return new SlidingLayers(Enumerable.Range(1, layerCount).Select(number => number % pattern != 0));
        if (types.Count != layerCount)
            throw config.Fault("layer_types", $"has {types.Count} entries", $"one per layer, {layerCount}");
        foreach (var other in types.Where(type => type is not ("full_attention" or "sliding_attention")).Distinct().Take(4))
        {
            unsupported.Add($"layer_types with {MessageText.Quote(other)} (known: full_attention, sliding_attention)");
        }

        return new SlidingLayers(types.Select(type => type == "sliding_attention"));
    }

    /// <summary>"SSFSSF".</summary>
    public override string ToString() => _letters;
}
