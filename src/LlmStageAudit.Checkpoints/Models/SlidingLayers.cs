namespace LlmStageAudit.Checkpoints.Models;

/// <summary>Which layers attend to a sliding window and which to everything before; equal where every layer is.</summary>
public sealed record SlidingLayers
{
    private readonly string _letters;

    private SlidingLayers(IEnumerable<bool> sliding) => _letters = string.Concat(sliding.Select(isSliding => isSliding ? 'S' : 'F'));

    /// <summary>Whether that layer, counted from 0, sees only its window.</summary>
    public bool this[int layer] => _letters[layer] == 'S';

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
