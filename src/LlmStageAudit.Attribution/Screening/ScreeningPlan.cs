using System.Globalization;
using LlmStageAudit.Attribution.Effects;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;

namespace LlmStageAudit.Attribution.Screening;

/// <summary>How a budget is used: exact replay of everything, or a screen whose top is settled by exact replay.</summary>
/// <param name="Screen">What screens; null where everything is replayed.</param>
/// <param name="EverythingGradients">Exact replay of all questions.</param>
/// <param name="BudgetGradients">The budget.</param>
/// <param name="Reason">One sentence with the numbers.</param>
public sealed record ScreeningPlan(Estimator? Screen, double EverythingGradients, double BudgetGradients, string Reason)
{
    /// <summary>A screen of the cost model's choice takes at most this part of the budget; the rest settles.</summary>
    private const double ScreenPart = 1.0 / 3;

    /// <summary>A larger share of the batches makes a sampled replay no cheaper per digit than settling more.</summary>
    private const double LargestSampledShare = 0.25;

    /// <param name="cost">Of the run.</param>
    /// <param name="questions">What would be replayed.</param>
    /// <param name="request">What is asked about.</param>
    /// <param name="certification">The budget, and a screen where the user named one.</param>
    /// <exception cref="AttributionException">The budget does not hold the screen, or the screen does not answer the questions.</exception>
    public static ScreeningPlan Choose(
        CostModel cost, IReadOnlyList<Counterfactual> questions, AttributionRequest request, CertificationRequest certification)
    {
        certification.Validated();
        if (request.Level is not ("stage" or "step")) throw AttributionException.BadOption("--level", request.Level, "stage or step with --budget");
        if (request.Estimator != new Estimator())
            throw AttributionException.BadOption("--method", request.Estimator.Id, "none with --budget: exact replay settles; --screen names another screen");
        var everything = cost.Exact(questions);
        var budget = certification.BudgetTrainings * cost.Training;
        var what = $"{questions.Count} {request.Level}s";
        if (everything <= budget)
        {
            var within = double.IsInfinity(budget) ? "there is no limit" : $"within the budget of {Cost(budget)}";
            return new ScreeningPlan(null, everything, budget, $"exact replay of all {what} costs {Cost(everything)}, {within}");
        }

        var screen = certification.Screen is { } named ? Checked(named, request) : Fitting(cost, questions, request, certification, budget);
        var screenCost = cost.Screen(screen, questions);
        if (screenCost > budget)
        {
            throw AttributionException.BadOption(
                "--budget", CertificationRequest.Spelled(certification.BudgetTrainings),
                $"at least {Cost(screenCost)} for the screen {screen.Id} of {what}; or a smaller --rho, or another --screen");
        }

        return new ScreeningPlan(
            screen, everything, budget,
            $"exact replay of all {what} would cost {Cost(everything)}, more than the budget of {Cost(budget)}: "
            + $"{screen.Id} screens for {Cost(screenCost)} and exact replay settles the top");

        string Cost(double gradients) =>
            string.Create(CultureInfo.InvariantCulture, $"{gradients:0.#} gradients ({cost.Trainings(gradients):0.##}x)");
    }

    /// <summary>
    /// Steps: the adjoint sweep, which costs the same however many there are. Stages and sets of steps: sampled replay, whose optimizer map
    /// is exact, as a fresh AdamW needs; where the budget is too small for one example per batch, recorded replay, which is free.
    /// </summary>
    private static Estimator Fitting(
        CostModel cost, IReadOnlyList<Counterfactual> questions, AttributionRequest request, CertificationRequest certification, double budget)
    {
        var screen = request.Level == "step" ? new Estimator { Method = Estimator.Adjoint } : new Estimator { Gradient = "sampled" };
        if (certification.Rho is { } rho) return screen with { Rho = rho };
        var largest = request.Level == "step" ? 1 : LargestSampledShare;
        // The cost is a step function of the share, nearly a line.
        for (var percent = 100; percent >= 1; percent--)
        {
            var share = percent / 100.0;
            if (share <= largest && cost.Screen(screen with { Rho = share }, questions) <= ScreenPart * budget) return screen with { Rho = share };
        }

        var least = screen with { Rho = 0.01 };
        return request.Level == "step" || cost.Screen(least, questions) <= budget ? least : new Estimator { Gradient = "recorded" };
    }

    private static Estimator Checked(Estimator screen, AttributionRequest request)
    {
        if (screen.Method == Estimator.Adjoint && request.Level == "stage" && (request.Treatment != "stage" || request.Steps.Count > 0))
            throw AttributionException.BadOption("--screen", "adjoint", "a replay (sampled, recorded, midpoint or linear) for steps skipped together");
        return screen.Validated();
    }
}
