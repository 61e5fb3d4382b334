namespace LlmStageAudit.Checkpoints.Models;

/// <summary>How rotary frequencies are changed for contexts longer than those trained on first.</summary>
public enum RotaryScaling
{
    /// <summary>Frequencies are as the base gives them.</summary>
    None,

    /// <summary>All frequencies divided by the factor.</summary>
    Linear,

    /// <summary>Low frequencies divided by the factor, high ones kept, those between interpolated (Llama 3.1).</summary>
    Llama3,
}

/// <summary>
/// The frequencies of a rotary position embedding, read from whichever spellings are there: rope_theta and rope_scaling (transformers 4),
/// rope_parameters (transformers 5), and the older names some families have. Spellings that disagree are an error, not a choice.
/// </summary>
/// <param name="Theta">The base, positive.</param>
public sealed record RotaryConfig(double Theta)
{
    private const int LargestContext = 1 << 30;

    /// <summary>What is done to frequencies for long contexts.</summary>
    public RotaryScaling Scaling { get; init; }

    /// <summary>What scaled frequencies are divided by; 1 without scaling.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Llama3 only: turns over the original context below which a frequency counts as low.</summary>
    public double LowFrequencyFactor { get; init; }

    /// <summary>Llama3 only: turns over the original context above which a frequency counts as high.</summary>
    public double HighFrequencyFactor { get; init; }

    /// <summary>Llama3 only: the original context in tokens.</summary>
    public int OriginalMaxPositions { get; init; }

    /// <summary>Reads base and scaling from whichever of the places holds them; places that disagree are a fault.</summary>
    /// <param name="unsupported">Takes the scalings that are not known.</param>
    /// <param name="presetTheta">The base where no spelling names one.</param>
    /// <param name="thetas">Where the base may be.</param>
    /// <param name="scalings">Objects that may say how frequencies are scaled, with their names for messages.</param>
    internal static RotaryConfig Read(
        UnsupportedSettings unsupported,
        double presetTheta,
        ReadOnlySpan<(JsonSection? Section, string Key)> thetas,
        ReadOnlySpan<(JsonSection? Section, string Name)> scalings)
    {
        foreach (var (section, key) in thetas) section?.FindPositive(key);
        var plain = new RotaryConfig(Agreed(presetTheta, thetas));
        RotaryConfig? agreed = null;
        foreach (var (section, name) in scalings)
        {
            if (section is null || Scaled(plain, section, name, unsupported) is not { } read) continue;
            if (agreed is not null && agreed != read)
            {
                var (here, there) = (Invariant($"{read.Scaling} by {read.Factor}"), Invariant($"{agreed.Scaling} by {agreed.Factor}"));
                throw section.Fault("rope_type", $"says {here} here and {there} under another spelling", "one scaling");
            }

            agreed = read;
        }

        return agreed ?? plain;
    }

    /// <summary>The value under whichever spellings are there, else the preset.</summary>
    internal static double Agreed(double preset, params ReadOnlySpan<(JsonSection? Section, string Key)> spellings)
    {
        double? agreed = null;
        foreach (var (section, key) in spellings)
        {
            if (section?.FindDouble(key) is not { } value) continue;
            if (agreed is { } other && other != value)
            {
                throw section.Fault(key, Invariant($"found {value} here and {other} under another spelling"), "one value");
            }

            agreed = value;
        }

        return agreed ?? preset;
    }

    /// <summary>The frequencies a section asks for; null where it says nothing of scaling or asks for something unknown.</summary>
    private static RotaryConfig? Scaled(RotaryConfig plain, JsonSection section, string name, UnsupportedSettings unsupported)
    {
        switch (section.FindString("rope_type") ?? section.FindString("type"))
        {
            case null:
                if (section.FindDouble("factor") is { } factor && factor != 1) unsupported.Add($"{name}.factor without a type");
                return null;
            case "default":
                return plain;
            case "linear":
                return plain with { Scaling = RotaryScaling.Linear, Factor = section.GetPositive("factor") };
            case "llama3":
                var scaled = plain with
                {
                    Scaling = RotaryScaling.Llama3,
                    Factor = section.GetPositive("factor"),
                    LowFrequencyFactor = section.GetPositive("low_freq_factor"),
                    HighFrequencyFactor = section.GetPositive("high_freq_factor"),
                    OriginalMaxPositions = section.GetInt("original_max_position_embeddings", 1, LargestContext),
                };
                return scaled.LowFrequencyFactor < scaled.HighFrequencyFactor
                    ? scaled
                    : throw section.Fault("high_freq_factor", Invariant($"found {scaled.HighFrequencyFactor}"),
                        Invariant($"more than low_freq_factor {scaled.LowFrequencyFactor}"));
            case var other:
                unsupported.Add($"{name} of type {MessageText.Quote(other)} (known: default, linear, llama3)");
                return null;
        }
    }
}
