using System.Globalization;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>Which layers attend to a sliding window and which to everything before; equal where every layer is.</summary>
public sealed class SlidingLayers : IEquatable<SlidingLayers>
{
    private readonly bool[] _sliding;

    private SlidingLayers(bool[] sliding) => _sliding = sliding;

    /// <summary>Layers of the model.</summary>
    public int Count => _sliding.Length;

    /// <summary>Whether that layer, counted from 0, sees only its window.</summary>
    public bool this[int layer] => _sliding[layer];

    /// <summary>layer_types, or else every layer but each <paramref name="pattern"/>-th.</summary>
    internal static SlidingLayers Read(ModelConfig config, int layerCount, int pattern, UnsupportedSettings unsupported)
    {
        if (config.FindStrings("layer_types") is not { } types)
        {
            return new SlidingLayers([.. Enumerable.Range(1, layerCount).Select(number => number % pattern != 0)]);
        }

        if (types.Count != layerCount)
        {
            throw config.Fault("layer_types", string.Create(CultureInfo.InvariantCulture, $"has {types.Count} entries"),
                string.Create(CultureInfo.InvariantCulture, $"one per layer, {layerCount}"));
        }

        foreach (var other in types.Where(type => type is not ("full_attention" or "sliding_attention")).Distinct().Take(4))
        {
            unsupported.Add($"layer_types with {MessageText.Quote(other)} (known: full_attention, sliding_attention)");
        }

        return new SlidingLayers([.. types.Select(type => type == "sliding_attention")]);
    }

    /// <inheritdoc/>
    public bool Equals(SlidingLayers? other) => other is not null && _sliding.AsSpan().SequenceEqual(other._sliding);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SlidingLayers);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var sliding in _sliding) hash.Add(sliding);
        return hash.ToHashCode();
    }

    /// <summary>"SSFSSF".</summary>
    public override string ToString() => string.Concat(_sliding.Select(sliding => sliding ? 'S' : 'F'));
}
