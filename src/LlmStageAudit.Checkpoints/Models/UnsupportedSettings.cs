using System.Globalization;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>The settings of a config.json that change the arithmetic and are not implemented, collected to be refused at once.</summary>
internal sealed class UnsupportedSettings(ModelConfig config)
{
    private static readonly string[] KnownActivations = ["gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu", "silu"];

    private static readonly string[] ExpertKeys =
        ["num_local_experts", "num_experts", "num_experts_per_tok", "n_routed_experts", "moe_intermediate_size"];

    private readonly List<string> _found = [];

    public void Add(string setting) => _found.Add(setting);

    /// <summary>What no family supports: quantized weights, experts, attention to later tokens.</summary>
    public void AddForEveryFamily()
    {
        foreach (var key in (ReadOnlySpan<string>)["quantization_config", "compression_config"])
        {
            if (config.Has(key)) Add($"{key} (load the unquantized weights)");
        }

        foreach (var key in ExpertKeys)
        {
            if (IsOn(key)) Add($"{key} (mixtures of experts)");
        }

        if (IsOn("use_bidirectional_attention")) Add("use_bidirectional_attention (only causal attention)");
        if (config.Find("is_causal") is { ValueKind: JsonValueKind.False }) Add("is_causal false (only causal attention)");
    }

    public void AddDropout(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (config.FindDouble(key) is { } rate && rate != 0)
            {
                Add(string.Create(CultureInfo.InvariantCulture, $"{key} {rate} (acts in training; set it to 0)"));
            }
        }
    }

    public void AddUnknownActivation(string key, string activation)
    {
        if (!KnownActivations.Contains(activation))
        {
            Add($"{key} {MessageText.Quote(activation)} (known: {string.Join(", ", KnownActivations)})");
        }
    }

    /// <summary>Ends the reading where settings were found that are not supported: all of them at once.</summary>
    /// <exception cref="ModelFolderException">Something was found.</exception>
    public void ThrowIfAny()
    {
        if (_found.Count > 0) throw ModelFolderException.Unsupported(config.Path, _found);
    }

    private bool IsOn(string key) => config.Find(key) switch
    {
        null or { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.Number } number => !(number.TryGetDouble(out var value) && value == 0),
        _ => true,
    };
}
