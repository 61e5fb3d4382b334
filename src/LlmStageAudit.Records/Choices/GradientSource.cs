using System.Globalization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Choices;

/// <summary>Where a replay takes the gradient of a counterfactual from, from the cheapest source to the exact one.</summary>
public abstract record GradientSource
{
    /// <summary>The share of each batch that is drawn where nothing is said.</summary>
    private const double DefaultRho = 0.25;

    private static readonly ChoiceTable<GradientSource, double?> s_table = new(
        Setting.GradientSource,
        new("recorded", typeof(Recorded), [], _ => new Recorded()),
        new("linear", typeof(Linear), [], _ => new Linear()),
        new("midpoint", typeof(Midpoint), [], _ => new Midpoint()),
        new("sampled", typeof(Sampled), [Setting.Rho], rho => new Sampled(rho ?? DefaultRho)),
        new("exact", typeof(Exact), [], _ => new Exact()));

    private GradientSource()
    {
    }

    /// <summary>Every spelling, without parameters.</summary>
    public static IReadOnlyList<string> Names => s_table.Names;

    /// <summary>Those of <see cref="Names"/> that answer a question.</summary>
    public static IReadOnlyList<string> Practical { get; } = [.. Names.Where(name => name is not ("linear" or "midpoint"))];

    /// <summary>How the case is spelled, without parameters.</summary>
    public string Name => s_table.NameOf(this);

    /// <summary>Whether it is there to be compared alone: it costs more than <see cref="Exact"/> and is further off.</summary>
    public bool IsResearch => this is Linear or Midpoint;

    /// <summary>The source of that name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="rho">The share of each batch that <see cref="Sampled"/> draws; null: a quarter.</param>
    /// <exception cref="ConfigurationException">No such source, rho out of range, or rho with another source.</exception>
    public static GradientSource Of(string name, double? rho = null) => s_table.Of(name, rho, Share.Setting(rho));

    /// <summary>recorded, linear, midpoint, sampled-0.25, exact.</summary>
    public sealed override string ToString() => this is Sampled { Rho: var rho } ? $"{Name}-{Share.Spelled(rho)}" : Name;

    /// <summary>The logged gradient as it is. It is free.</summary>
    public sealed record Recorded : GradientSource;

    /// <summary>The logged gradient, corrected by a Hessian-vector product at the observed parameters.</summary>
    public sealed record Linear : GradientSource;

    /// <summary>The same with the Hessian halfway between observed and counterfactual parameters.</summary>
    public sealed record Midpoint : GradientSource;

    /// <summary>The logged gradient, corrected by the difference of both models' gradients on a random share of the batch.</summary>
    /// <param name="Rho">The share, above 0, at most 1.</param>
    public sealed record Sampled(double Rho) : GradientSource
    {
        /// <summary>The share, above 0, at most 1.</summary>
        public double Rho { get; } = Share.Checked(Rho);
    }

    /// <summary>The gradient at the counterfactual parameters: this is retraining.</summary>
    public sealed record Exact : GradientSource;
}

/// <summary>Shares of a batch.</summary>
internal static class Share
{
    /// <summary>The share itself, above 0, at most 1.</summary>
    /// <exception cref="ConfigurationException">Out of range.</exception>
    public static double Checked(double rho) => rho is > 0 and <= 1
        ? rho
        : throw ConfigurationException.Bad(Foundation.Errors.Setting.Rho, Spelled(rho)!, "a share above 0, at most 1");

    /// <summary>The setting, where it is given.</summary>
    public static IEnumerable<(Setting Setting, string Value)> Setting(double? rho) =>
        Spelled(rho) is { } spelled ? [(Foundation.Errors.Setting.Rho, spelled)] : [];

    public static string? Spelled(double? number) => number?.ToString(CultureInfo.InvariantCulture);
}
