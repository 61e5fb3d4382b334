using System.Globalization;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Estimators;

/// <summary>A way to estimate what a run would have become without some of its steps, with its settings.</summary>
public sealed record Estimator
{
    /// <summary>Counterfactual replay, by a gradient source.</summary>
    public const string Replay = "replay";

    /// <summary>First-order propagation of the run's own optimizer; the steps left out act together.</summary>
    public const string Adjoint = "adjoint";

    /// <summary>The same with each step left out alone and their effects added up.</summary>
    public const string AaScore = "aa-score";

    /// <summary>Plain SGD with an outer-product curvature (Wang et al., ICLR 2025).</summary>
    public const string DvEmb = "dvemb";

    /// <summary>Plain SGD without curvature (Pruthi et al., NeurIPS 2020).</summary>
    public const string TracIn = "tracin";

    /// <summary>All methods, as settings spell them.</summary>
    public static IReadOnlyList<string> Methods { get; } = [Replay, Adjoint, AaScore, DvEmb, TracIn];

    internal static IReadOnlyList<string> Curvatures { get; } = ["full", "layer-wise"];

    /// <summary>One of <see cref="Methods"/>.</summary>
    public string Method { get; init; } = Replay;

    /// <summary>For replay: one of <see cref="GradientSource.Names"/>.</summary>
    public string Gradient { get; init; } = "exact";

    /// <summary>
    /// The share of each batch looked at by the source `sampled`, and by the curvature of `adjoint` and `aa-score`;
    /// null: 0.25 there, all here.
    /// </summary>
    public double? Rho { get; init; }

    /// <summary>For adjoint and aa-score: one of <see cref="Curvatures"/>.</summary>
    public string Curvature { get; init; } = "full";

    /// <summary>For adjoint and aa-score: the least eps of AdamW's Jacobian.</summary>
    public double EpsilonFloor { get; init; }

    /// <summary>For adjoint at the level of steps or batches: one of <see cref="SweepReadout.Names"/>.</summary>
    public string Readout { get; init; } = SweepReadout.LinearName;

    /// <summary>Whether it is retraining, to the bit on the CPU.</summary>
    internal bool IsExact => Method == Replay && Gradient == "exact";

    /// <summary>Whether it is a published method kept for comparison.</summary>
    internal bool IsBaseline => Method is AaScore or DvEmb or TracIn;

    /// <summary>Whether effects are first-order: the probe's gradient times the change of the parameters.</summary>
    public bool IsLinear => Method != Replay;

    /// <summary>rho as it acts; null where the method has none.</summary>
    public double? EffectiveRho => Method switch
    {
        Replay => Gradient == "sampled" ? Rho ?? 0.25 : null,
        Adjoint or AaScore when Curvature == "full" && Rho < 1 => Rho,
        _ => null,
    };

    /// <summary>How a sweep or a propagation by these settings carries perturbations.</summary>
    /// <param name="seed">Of the random shares of batches.</param>
    public PropagationOptions Propagation(long seed) => new() { Rho = Rho ?? 1, Seed = seed, EpsilonFloor = EpsilonFloor };

    /// <summary>How a sweep by these settings reads effects off a probe.</summary>
    /// <param name="trajectory">The run.</param>
    /// <param name="gradient">The probe's at theta_T, [N].</param>
    /// <param name="hessianProduct">The probe's Hessian at theta_T times a vector [N]; called where the readout needs it.</param>
    public SweepReadout ReadOut(ITrajectory trajectory, Tensor gradient, Func<Tensor, Tensor> hessianProduct) =>
        Readout == SweepReadout.QuadraticName
            ? SweepReadout.Quadratic(
                gradient, trajectory.StateBefore(trajectory.Programs.Count) - trajectory.StateBefore(0), hessianProduct)
            : SweepReadout.Linear(gradient);

    /// <summary>Refuses a readout that acts on sweeps only.</summary>
    /// <exception cref="AttributionException">Another readout than the linear one.</exception>
    public void RequireLinearReadout()
    {
        if (Readout != SweepReadout.LinearName)
            throw AttributionException.BadOption(
                Setting.Readout, Readout, $"linear, except with {Setting.Method} adjoint and {Setting.Level} step or batch");
    }

    /// <summary>Short, unique to the settings, and fit for a file name: replay-sampled-0.25, aa-score-layer-wise.</summary>
    public string Id => string.Create(CultureInfo.InvariantCulture, $"{Method}{Detail}{(EffectiveRho is { } rho ? $"-{rho}" : "")}{Floor}");

    private string Detail => Method switch
    {
        Replay => "-" + Gradient,
        Adjoint or AaScore when Curvature != "full" => "-" + Curvature,
        Adjoint when Readout != SweepReadout.LinearName => "-" + Readout,
        _ => "",
    };

    private string Floor =>
        Method is Adjoint or AaScore && EpsilonFloor > 0 ? string.Create(CultureInfo.InvariantCulture, $"-eps{EpsilonFloor}") : "";

    /// <summary>Reads a spelling as <see cref="Id"/> gives it: a method, or a gradient source of replay, with its share.</summary>
    /// <exception cref="AttributionException">No such estimator.</exception>
    public static Estimator Parse(string text)
    {
        var estimator = text switch
        {
            Adjoint or AaScore or DvEmb or TracIn => new Estimator { Method = text },
            AaScore + "-layer-wise" => new Estimator { Method = AaScore, Curvature = "layer-wise" },
            Adjoint + "-" + SweepReadout.QuadraticName => new Estimator { Method = Adjoint, Readout = SweepReadout.QuadraticName },
            Adjoint + "-layer-wise" => new Estimator { Method = Adjoint, Curvature = "layer-wise" },
            _ => OfSource(text.StartsWith(Replay + "-", StringComparison.Ordinal) ? text[(Replay.Length + 1)..] : text),
        };
        return estimator ?? throw AttributionException.BadOption(
            Setting.Estimators,
            text,
            $"{string.Join(", ", GradientSource.Names)}, sampled-RHO, "
                + "adjoint, adjoint-quadratic, aa-score, aa-score-layer-wise, dvemb, tracin");

        static Estimator? OfSource(string source)
        {
            if (GradientSource.Names.Contains(source)) return new Estimator { Gradient = source };
            return source.StartsWith("sampled-", StringComparison.Ordinal)
                && double.TryParse(source["sampled-".Length..], NumberStyles.Float, CultureInfo.InvariantCulture, out var rho)
                ? new Estimator { Gradient = "sampled", Rho = rho }
                : null;
        }
    }

    /// <summary>The same estimator, once its settings have been checked.</summary>
    /// <exception cref="AttributionException">A setting that is none, or out of range.</exception>
    public Estimator Validated()
    {
        Among(Setting.Method, Method, Methods);
        Among(Setting.GradientSource, Gradient, GradientSource.Names);
        Among(Setting.Curvature, Curvature, Curvatures);
        Among(Setting.Readout, Readout, SweepReadout.Names);
        if (Rho is not (null or (> 0 and <= 1)))
            throw AttributionException.BadOption(
                Setting.Rho, Rho.Value.ToString(CultureInfo.InvariantCulture), "a share above 0, at most 1");
        if (!(EpsilonFloor is >= 0 and < 1))
            throw AttributionException.BadOption(
                Setting.EpsilonFloor, EpsilonFloor.ToString(CultureInfo.InvariantCulture), "a number from 0, below 1");
        return this;

        static void Among(Setting setting, string found, IReadOnlyList<string> known)
        {
            if (!known.Contains(found)) throw AttributionException.BadOption(setting, found, string.Join(", ", known));
        }
    }
}
