using System.Globalization;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Attribution;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Auditing.Screening;

/// <summary>What a certified head of a ranking may cost and how sure it has to be.</summary>
public sealed record CertificationRequest
{
    /// <summary>
    /// The least eps of AdamW's tangent in a sweep that screens: without it the noise of curvature from a share of the batch grows through
    /// coordinates with tiny gradients.
    /// </summary>
    private const double EpsilonFloor = 1e-3;

    /// <summary>Gradients to spend, in trainings of the run; infinite for no limit.</summary>
    public double BudgetTrainings { get; init; } = double.PositiveInfinity;

    /// <summary>The probability, at least, with which a head that is called certain is the right one.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>How many candidates the head holds.</summary>
    public int Top { get; init; } = 1;

    /// <summary>What to screen with where the budget does not hold exact replay of everything; null for the cost model's choice.</summary>
    public Estimator? Screen { get; init; }

    /// <summary>
    /// The share of each batch a screen of the cost model's choice looks at; null for its choice. For stages a share asks for
    /// sampled replay.
    /// </summary>
    public double? Rho { get; init; }

    /// <summary>Which effects make the head: the largest in size, or the highest.</summary>
    public TopKOrder Order { get; init; } = TopKOrder.Magnitude;

    /// <summary>Settings that ask for this, such as "the budget 3x, the top-k 2", as <see cref="Setting"/> spells them.</summary>
    public string Options => Setting.Choices(Chosen.Select(choice => (choice.Setting, choice.Value)));

    /// <summary>Unique to the settings and fit for a file name: certified-3x, certified-3x-top-2.</summary>
    public string Id => "certified" + string.Concat(Chosen.Select(choice => $"-{choice.Part}{choice.Value}"));

    /// <summary>What differs from the defaults, and the part of a name that says what it is.</summary>
    private IEnumerable<(Setting Setting, string Part, string Value)> Chosen
    {
        get
        {
            yield return (Setting.Budget, "", Spelled(BudgetTrainings));
            if (Top != 1) yield return (Setting.TopK, "top-", Top.ToString(CultureInfo.InvariantCulture));
            if (Confidence != 0.95) yield return (Setting.Confidence, "confidence-", Confidence.ToString(CultureInfo.InvariantCulture));
            if (Screen is { } screen)
                yield return (Setting.Screen, "screen-", screen is Estimator.Replay { Source: var source } ? source.Name : screen.Method);
            if ((Rho ?? Screen?.Settings.Rho) is { } rho) yield return (Setting.Rho, "rho-", rho.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>A budget as it is given: 3x, 0.5x, unlimited.</summary>
    public static string Spelled(double budgetTrainings) =>
        double.IsInfinity(budgetTrainings) ? "unlimited" : budgetTrainings.ToString(CultureInfo.InvariantCulture) + "x";

    /// <summary>Reads a number of trainings: 3x, 3, 0.5x, unlimited.</summary>
    /// <exception cref="ConfigurationException">None of these.</exception>
    public static double ParseBudget(string text)
    {
        if (text == "unlimited") return double.PositiveInfinity;
        var number = text.EndsWith('x') ? text[..^1] : text;
        const NumberStyles styles = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(number, styles, CultureInfo.InvariantCulture, out var trainings) && double.IsFinite(trainings)
            ? trainings
            : throw ConfigurationException.Bad(Setting.Budget, text, "trainings to spend, such as 3x or 0.5x, or unlimited");
    }

    /// <summary>
    /// What single steps get where nobody says: a sweep of whole batches screens them for two and a half trainings, and as many again
    /// settle the top.
    /// </summary>
    public static CertificationRequest OfSteps { get; } = new() { BudgetTrainings = 5, Screen = Sweep(1) };

    /// <summary>Reads the name of a screen; auto is null.</summary>
    /// <param name="text">auto, adjoint, recorded or sampled.</param>
    /// <param name="rho">The share of each batch; null for the screen's default.</param>
    /// <exception cref="ConfigurationException">No screen, or a share that it does not draw.</exception>
    public static Estimator? ParseScreen(string text, double? rho) => text switch
    {
        "auto" => null,
        "adjoint" => Sweep(rho ?? 1),
        "sampled" or "recorded" => new Estimator.Replay(GradientSource.Of(text, rho)),
        _ => throw ConfigurationException.Bad(Setting.Screen, text, "auto, adjoint, recorded or sampled"),
    };

    internal static Estimator Sweep(double rho) => new Estimator.Adjoint(new Curvature.Full(rho), EpsilonFloor);

    internal static Estimator Sampled(double rho) => new Estimator.Replay(new GradientSource.Sampled(rho));

    /// <summary>The request itself, once its settings are known to be in range.</summary>
    /// <exception cref="ConfigurationException">A setting out of range.</exception>
    public CertificationRequest Validated()
    {
        if (!(BudgetTrainings >= 0))
            throw ConfigurationException.Bad(Setting.Budget, Spelled(BudgetTrainings), "trainings to spend, from 0");
        if (!(Confidence is > 0.5 and < 1))
            throw ConfigurationException.Bad(
                Setting.Confidence, Confidence.ToString(CultureInfo.InvariantCulture), "a probability above 0.5, below 1");
        if (Top < 1)
            throw ConfigurationException.Bad(
                Setting.TopK, Top.ToString(CultureInfo.InvariantCulture), "a number of candidates, from 1");
        if (Rho is not (null or (> 0 and <= 1)))
            throw ConfigurationException.Bad(
                Setting.Rho, Rho.Value.ToString(CultureInfo.InvariantCulture), "a share above 0, at most 1");
        return this;
    }
}
