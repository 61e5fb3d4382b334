using System.Globalization;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Auditing.Screening;

/// <summary>How a budget is used: exact replay of everything, or a screen whose top is settled by exact replay.</summary>
/// <param name="Screen">What screens; null where everything is replayed.</param>
/// <param name="EverythingGradients">Exact replay of all questions.</param>
/// <param name="BudgetGradients">The budget.</param>
/// <param name="Reason">One sentence with the numbers.</param>
internal sealed record ScreeningPlan(Estimator? Screen, double EverythingGradients, double BudgetGradients, string Reason)
{
    /// <summary>A screen of the cost model's choice takes at most this part of the budget; the rest settles.</summary>
    private const double ScreenPart = 1.0 / 3;

    /// <summary>Replays everything where the budget holds that, else finds a screen that it holds.</summary>
    /// <exception cref="ConfigurationException">The budget holds no screen, or the screen does not answer the questions.</exception>
    public static ScreeningPlan Choose(
        CostModel cost, IReadOnlyList<Counterfactual> questions, AttributionRequest request, CertificationRequest certification)
    {
        certification.Validated();
        if (request.Treatment is Treatment.EachBatch or Treatment.EachExample)
            throw ConfigurationException.Bad(Setting.Level, request.Treatment.Level, $"stage or step with {Setting.Budget}");
        if (!request.Estimator.IsExact)
            throw ConfigurationException.Bad(
                Setting.Method, $"{request.Estimator}",
                $"none with {Setting.Budget}: exact replay settles, and {Setting.Screen} says what screens");
        var everything = cost.Exact(questions);
        var budget = certification.BudgetTrainings * cost.Training;
        var what = $"{questions.Count} {request.Treatment.Level}s";
        if (everything <= budget)
        {
            var within = double.IsInfinity(budget) ? "there is no limit" : $"within the budget of {Cost(budget)}";
            return new ScreeningPlan(null, everything, budget, $"exact replay of all {what} costs {Cost(everything)}, {within}");
        }

        var screen = certification.Screen ?? Fitting();
        if (screen is Estimator.Adjoint && request.Treatment is Treatment.Steps)
            throw ConfigurationException.Bad(
                Setting.Screen, "adjoint", "a replay (sampled or recorded) for steps skipped together");
        var screenCost = cost.Screen(screen, questions);
        if (screenCost > budget)
        {
            throw ConfigurationException.Bad(
                Setting.Budget, CertificationRequest.Spelled(certification.BudgetTrainings),
                $"at least {Cost(screenCost)} for the screen {screen} of {what}; or lower {Setting.Rho}, or change {Setting.Screen}");
        }

        return new ScreeningPlan(
            screen, everything, budget,
            $"exact replay of all {what} would cost {Cost(everything)}, more than the budget of {Cost(budget)}: "
            + $"{screen} screens for {Cost(screenCost)} and exact replay settles the top");

        string Cost(double gradients) =>
            string.Create(CultureInfo.InvariantCulture, $"{gradients:0.#} gradients ({cost.Trainings(gradients):0.##}x)");

        // Steps: the adjoint sweep, which costs the same however many there are, on the largest share of the batches that a third of
        // the budget holds.
        // Stages and sets of steps: recorded replay. It is free, and with few candidates the budget does more in settling than in a
        // dearer screen, as the benchmark `certify` measures; where its errors are large, they show as the top is settled.
        Estimator Fitting()
        {
            var isOfSteps = request.Treatment is Treatment.EachStep;
            if (certification.Rho is { } rho) return isOfSteps ? CertificationRequest.Sweep(rho) : CertificationRequest.Sampled(rho);
            if (!isOfSteps) return new Estimator.Replay(new GradientSource.Recorded());
            // The cost is a step function of the share, nearly a line.
            return CertificationRequest.Sweep(Enumerable.Range(1, 100).Reverse().FirstOrDefault(
                percent => cost.Screen(CertificationRequest.Sweep(percent / 100.0), questions) <= ScreenPart * budget, 1) / 100.0);
        }
    }
}
