using System.Globalization;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Choices;

/// <summary>A way to estimate what a run would have become without some of its steps.</summary>
[JsonConverter(typeof(ChoiceJson<Estimator>))]
public abstract record Estimator : IChoice<Estimator>
{
    private static readonly ChoiceTable<Estimator, EstimatorSettings> s_table = new(
        Setting.Method,
        new("replay", typeof(Replay), [Setting.GradientSource, Setting.Rho],
            given => new Replay(GradientSource.Of(given.Gradient ?? "exact", given.Rho))),
        new("adjoint", typeof(Adjoint), [Setting.Curvature, Setting.Rho, Setting.EpsilonFloor, Setting.Readout],
            given => new Adjoint(given.CurvatureOf(), given.EpsilonFloor ?? 0, given.ReadoutOf())),
        new("aa-score", typeof(AaScore), [Setting.Curvature, Setting.Rho, Setting.EpsilonFloor],
            given => new AaScore(given.CurvatureOf(), given.EpsilonFloor ?? 0)),
        new("dvemb", typeof(DvEmb), [], _ => new DvEmb()),
        new("tracin", typeof(TracIn), [], _ => new TracIn()));

    private static readonly string s_sources = string.Join('|', GradientSource.Names);

    private static readonly Regex s_spelling = new(
        $"^((?<gradient>{s_sources})|(?<method>{string.Join('|', s_table.Names)})(-(?<gradient>{s_sources}))?)"
            + $"(-(?<curvature>{string.Join('|', Curvature.Names)}))?(-(?<readout>{string.Join('|', EnumSpelling<Readout>.All)}))?"
            + "(-(?<rho>[0-9.]+(E-?[0-9]+)?))?(-eps(?<floor>[0-9.]+(E-?[0-9]+)?))?$",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant);

    private Estimator(bool isBaseline) => IsBaseline = isBaseline;

    /// <summary>Exact replay, which is retraining: what everything else is held against.</summary>
    public static Estimator Exact { get; } = new Replay(new GradientSource.Exact());

    /// <summary>Every method, as settings spell it.</summary>
    public static IReadOnlyList<string> Methods => s_table.Names;

    /// <summary>How the method is spelled, without parameters.</summary>
    public string Method => s_table.NameOf(this);

    /// <summary>Its parameters as they are set; null where they are at their default, or it has none such.</summary>
    public virtual EstimatorSettings Settings => new();

    /// <summary>Whether it is retraining, to the bit on the CPU.</summary>
    public bool IsExact => this is Replay { Source: GradientSource.Exact };

    /// <summary>Whether it is dominated by exact replay: dearer and further off, there to be compared alone.</summary>
    public bool IsResearch => this is Replay { Source.IsResearch: true };

    /// <summary>Whether it is a published method kept for comparison.</summary>
    public bool IsBaseline { get; }

    /// <summary>Whether effects are first-order: the probe's gradient times the change of the parameters.</summary>
    public bool IsLinear => this is not Replay;

    /// <summary>The estimator of a method with what was set about it.</summary>
    /// <param name="method">One of <see cref="Methods"/>.</param>
    /// <param name="given">Null where the method's own default is meant.</param>
    /// <exception cref="ConfigurationException">No such method, a value out of range, or a setting that does not act on it.</exception>
    public static Estimator Of(string method, EstimatorSettings given) => s_table.Of(method, given, given.Chosen);

    /// <summary>Reads what <see cref="ToString"/> writes; a gradient source alone is a replay by it.</summary>
    /// <exception cref="ConfigurationException">No estimator, or a parameter that it does not have or that is out of range.</exception>
    public static Estimator Parse(string text)
    {
        var found = s_spelling.Match(text);
        if (!found.Success || text.Length == 0)
        {
            string[] known = [.. GradientSource.Names, .. Methods];
            throw ConfigurationException.Bad(
                Setting.Estimators, text, $"{string.Join(", ", known)}, or with settings as in sampled-0.1 or adjoint-quadratic",
                Suggestion.Nearest(text, known));
        }

        return Of(Part("method") ?? "replay", new EstimatorSettings
        {
            Gradient = Part("gradient"),
            Curvature = Part("curvature"),
            Readout = Part("readout"),
            Rho = Number("rho"),
            EpsilonFloor = Number("floor"),
        });

        string? Part(string name) => found.Groups[name] is { Success: true, Value: var value } ? value : null;

        double? Number(string name) =>
            Part(name) is { } value ? double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Short, unique to the settings, and fit for a file name: replay-sampled-0.25, aa-score-layer-wise.</summary>
    public sealed override string ToString() => string.Join('-',
        [Method, .. Settings.Chosen.Select(choice => choice.Setting == Setting.EpsilonFloor ? $"eps{choice.Value}" : choice.Value)]);

    /// <summary>Counterfactual replay.</summary>
    /// <param name="Source">Where its gradients come from.</param>
    public sealed record Replay(GradientSource Source) : Estimator(isBaseline: false)
    {
        /// <inheritdoc/>
        public override EstimatorSettings Settings =>
            new() { Gradient = Source.Name, Rho = Source is GradientSource.Sampled { Rho: var rho } ? rho : null };
    }

    /// <summary>First-order propagation of the run's own optimizer.</summary>
    public abstract record Propagation : Estimator
    {
        private protected Propagation(Curvature curvature, double epsilonFloor, bool isBaseline)
            : base(isBaseline) => (Curvature, EpsilonFloor) = (curvature, epsilonFloor is >= 0 and < 1
                ? epsilonFloor
                : throw ConfigurationException.Bad(Setting.EpsilonFloor, Share.Spelled(epsilonFloor)!, "a number from 0, below 1"));

        /// <summary>How gradients depend on where they are taken.</summary>
        public Curvature Curvature { get; }

        /// <summary>The least eps of AdamW's Jacobian, from 0, below 1.</summary>
        public double EpsilonFloor { get; }

        /// <inheritdoc/>
        public override EstimatorSettings Settings => new()
        {
            Curvature = Curvature is Curvature.Full ? null : $"{Curvature}",
            Rho = Curvature is Curvature.Full { Rho: < 1 and var rho } ? rho : null,
            EpsilonFloor = EpsilonFloor > 0 ? EpsilonFloor : null,
        };
    }

    /// <summary>A propagation in which the steps left out act together.</summary>
    /// <param name="Curvature">As <see cref="Propagation.Curvature"/>.</param>
    /// <param name="EpsilonFloor">As <see cref="Propagation.EpsilonFloor"/>.</param>
    /// <param name="Readout">How a sweep reads effects off the probe.</param>
    public sealed record Adjoint(Curvature Curvature, double EpsilonFloor = 0, Readout Readout = Readout.Linear)
        : Propagation(Curvature, EpsilonFloor, isBaseline: false)
    {
        /// <inheritdoc/>
        public override EstimatorSettings Settings =>
            base.Settings with { Readout = Readout == Readout.Linear ? null : EnumSpelling<Readout>.Of(Readout) };
    }

    /// <summary>A propagation in which each step is left out alone and their effects are added up.</summary>
    /// <param name="Curvature">As <see cref="Propagation.Curvature"/>.</param>
    /// <param name="EpsilonFloor">As <see cref="Propagation.EpsilonFloor"/>.</param>
    public sealed record AaScore(Curvature Curvature, double EpsilonFloor = 0)
        : Propagation(Curvature, EpsilonFloor, isBaseline: true);

    /// <summary>Plain SGD with an outer-product curvature (Wang et al., ICLR 2025).</summary>
    public sealed record DvEmb() : Estimator(isBaseline: true);

    /// <summary>Plain SGD without curvature (Pruthi et al., NeurIPS 2020).</summary>
    public sealed record TracIn() : Estimator(isBaseline: true);
}

/// <summary>What can be set about an estimator, spelled as settings are; null where nothing is.</summary>
public sealed record EstimatorSettings
{
    /// <summary>Of a replay: one of <see cref="GradientSource.Names"/>; null: exact.</summary>
    public string? Gradient { get; init; }

    /// <summary>The share of each batch that is looked at, above 0, at most 1; null: a quarter for sampled gradients, else all.</summary>
    public double? Rho { get; init; }

    /// <summary>Of a propagation: full or layer-wise; null: full.</summary>
    public string? Curvature { get; init; }

    /// <summary>Of a propagation: the least eps of AdamW's Jacobian; null: 0.</summary>
    public double? EpsilonFloor { get; init; }

    /// <summary>Of the adjoint: linear or quadratic; null: linear.</summary>
    public string? Readout { get; init; }

    /// <summary>What is set, with its value, in the order of spellings.</summary>
    public IEnumerable<(Setting Setting, string Value)> Chosen =>
        new (Setting Setting, string? Value)[]
        {
            (Setting.GradientSource, Gradient), (Setting.Curvature, Curvature), (Setting.Readout, Readout),
            (Setting.Rho, Share.Spelled(Rho)), (Setting.EpsilonFloor, Share.Spelled(EpsilonFloor)),
        }.Where(choice => choice.Value is not null).Select(choice => (choice.Setting, choice.Value!));

    internal Curvature CurvatureOf() => Choices.Curvature.Of(Curvature ?? "full", Rho);

    internal Readout ReadoutOf() => Readout is null
        ? Choices.Readout.Linear
        : EnumSpelling<Readout>.TryParse(Readout, out var readout)
            ? readout
            : throw ConfigurationException.Bad(Setting.Readout, Readout, string.Join(", ", EnumSpelling<Readout>.All));
}

/// <summary>How the gradient of a step depends on where it is taken.</summary>
public abstract record Curvature
{
    private static readonly ChoiceTable<Curvature, double?> s_table = new(
        Setting.Curvature,
        new("full", typeof(Full), [Setting.Rho], rho => new Full(rho ?? 1)),
        new("layer-wise", typeof(LayerWise), [], _ => new LayerWise()));

    private Curvature()
    {
    }

    internal static IReadOnlyList<string> Names => s_table.Names;

    /// <summary>The curvature of that name, taken from a share of each batch; null: all.</summary>
    /// <exception cref="ConfigurationException">No such curvature, rho out of range, or rho where no share is drawn.</exception>
    internal static Curvature Of(string name, double? rho) => s_table.Of(name, rho, Share.Setting(rho));

    /// <summary>full or layer-wise.</summary>
    public sealed override string ToString() => s_table.NameOf(this);

    /// <summary>The Hessian of the batch loss.</summary>
    /// <param name="Rho">The share of each batch it is taken from, above 0, at most 1.</param>
    public sealed record Full(double Rho = 1) : Curvature
    {
        /// <summary>The share of each batch it is taken from, above 0, at most 1.</summary>
        public double Rho { get; } = Share.Checked(Rho);
    }

    /// <summary>The Hessian without the blocks between different layers.</summary>
    public sealed record LayerWise : Curvature;
}

/// <summary>How a sweep reads effects off a probe.</summary>
public enum Readout
{
    /// <summary>The probe's gradient times the change of the parameters.</summary>
    Linear,

    /// <summary>Also the probe's own bend along the run's way.</summary>
    Quadratic,
}
