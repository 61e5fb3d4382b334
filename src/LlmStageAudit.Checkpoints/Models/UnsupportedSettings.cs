namespace LlmStageAudit.Checkpoints.Models;

/// <summary>The settings of a config.json that change the arithmetic and are not implemented, collected to be refused at once.</summary>
internal sealed class UnsupportedSettings
{
    private static readonly string[] KnownActivations = ["gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu", "silu"];

    private static readonly string[] QuantizerKeys = ["quantization_config", "compression_config"];

    private static readonly string[] ExpertKeys =
        ["num_local_experts", "num_experts", "num_experts_per_tok", "n_routed_experts", "moe_intermediate_size"];

    private readonly ModelConfig _config;
    private readonly List<string> _found = [];

    private UnsupportedSettings(ModelConfig config) => _config = config;

    /// <summary>What is read, where no setting was found on the way that is not supported.</summary>
    /// <exception cref="CheckpointException">Something was found: all of it at once.</exception>
    public static T Refuse<T>(ModelConfig config, Func<UnsupportedSettings, T> read)
    {
        var unsupported = new UnsupportedSettings(config);
        var result = read(unsupported);
        return unsupported._found.Count == 0
            ? result
            : throw CheckpointException.Unsupported(config.Path, unsupported._found, null, "the results would not be this model's");
    }

    public void Add(string setting) => _found.Add(setting);

    /// <summary>What no family supports: quantized weights, experts, attention to later tokens.</summary>
    public void AddForEveryFamily()
    {
        _found.AddRange(QuantizerKeys.Where(_config.Has).Select(key => $"{key} (load the unquantized weights)"));
        _found.AddRange(ExpertKeys.Where(IsOn).Select(key => $"{key} (mixtures of experts)"));
        if (IsOn("use_bidirectional_attention")) Add("use_bidirectional_attention (only causal attention)");
        if (_config.Find("is_causal") is { ValueKind: JsonValueKind.False }) Add("is_causal false (only causal attention)");
    }

    public void AddUnknownActivation(string key, string activation)
    {
        if (KnownActivations.Contains(activation)) return;
        Add($"{key} {MessageText.Quote(activation)} (known: {string.Join(", ", KnownActivations)})");
    }

    private bool IsOn(string key) => _config.Find(key) switch
    {
        null or { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.Number } number => !(number.TryGetDouble(out var value) && value == 0),
        _ => true,
    };
}
