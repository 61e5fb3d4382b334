using System.Globalization;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// Reads rotary settings from whichever spellings are there: rope_theta and rope_scaling (transformers 4), rope_parameters
/// (transformers 5), and the older names some families have. Spellings that disagree are an error, not a choice.
/// </summary>
internal static class RotaryConfigReader
{
    private const int LargestContext = 1 << 30;

    /// <summary>Reads base and scaling from whichever of the places holds them; places that disagree are a fault.</summary>
    /// <param name="unsupported">Takes the scalings that are not known.</param>
    /// <param name="presetTheta">The base where no spelling names one.</param>
    /// <param name="thetas">Where the base may be.</param>
    /// <param name="scalings">Objects that may say how frequencies are scaled, with their names for messages.</param>
    public static RotaryConfig Read(
        UnsupportedSettings unsupported,
        double presetTheta,
        ReadOnlySpan<(ModelConfig? Section, string Key)> thetas,
        ReadOnlySpan<(ModelConfig? Section, string Name)> scalings)
    {
        var plain = new RotaryConfig(Agreed(presetTheta, thetas));
        if (!(plain.Theta > 0))
        {
            var (where, key) = Named(thetas);
            throw where.Fault(key, Invariant($"found {plain.Theta}"), "a positive number");
        }

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
    public static double Agreed(double preset, params ReadOnlySpan<(ModelConfig? Section, string Key)> spellings)
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
    private static RotaryConfig? Scaled(RotaryConfig plain, ModelConfig section, string name, UnsupportedSettings unsupported)
    {
        switch (section.FindString("rope_type") ?? section.FindString("type"))
        {
            case null:
                if (section.FindDouble("factor") is { } factor && factor != 1) unsupported.Add($"{name}.factor without a type");
                return null;
            case "default":
                return plain;
            case "linear":
                return plain with { Scaling = RotaryScaling.Linear, Factor = Positive(section, "factor") };
            case "llama3":
                var scaled = plain with
                {
                    Scaling = RotaryScaling.Llama3,
                    Factor = Positive(section, "factor"),
                    LowFrequencyFactor = Positive(section, "low_freq_factor"),
                    HighFrequencyFactor = Positive(section, "high_freq_factor"),
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

    private static double Positive(ModelConfig section, string key)
    {
        var value = section.GetDouble(key);
        return value > 0 ? value : throw section.Fault(key, Invariant($"found {value}"), "a positive number");
    }

    /// <summary>The spelling that is there; the last one, always a top-level key, where none is.</summary>
    private static (ModelConfig Section, string Key) Named(ReadOnlySpan<(ModelConfig? Section, string Key)> spellings)
    {
        foreach (var (section, key) in spellings)
        {
            if (section is not null && section.Has(key)) return (section, key);
        }

        return (spellings[^1].Section!, spellings[^1].Key);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
