using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Records.Effects;

/// <summary>
/// How effects were made under a budget, and whether the head of their ranking is certain. Costs are in gradients of one batch, or in
/// trainings of the whole run (x). Runs of the probe are not counted.
/// </summary>
public sealed record Certification
{
    /// <summary>What ranks, such as log-likelihood or confounder-gap(muslim).</summary>
    public required string Measure { get; init; }

    /// <summary>The group whose confounder gap ranks; null where the probe's performance does.</summary>
    public string? Confounder { get; init; }

    /// <summary>Settings that ask for the same, such as "the budget 3x, the top-k 2", as <see cref="Setting"/> spelled them.</summary>
    public required string Options { get; init; }

    /// <summary>magnitude: the largest effect in size is first. highest: the highest.</summary>
    public required string Order { get; init; }

    /// <summary>How many candidates the head holds.</summary>
    public required int Top { get; init; }

    /// <summary>The probability, at least, that a head called certain holds the right candidates, in whatever order.</summary>
    public required double Confidence { get; init; }

    /// <summary>Infinite for no limit.</summary>
    public required double BudgetTrainings { get; init; }

    /// <summary><see cref="BudgetTrainings"/> in gradients of one batch.</summary>
    public required double BudgetGradients { get; init; }

    /// <summary>What exact replay of every candidate costs.</summary>
    public required double EverythingGradients { get; init; }

    /// <summary>Spent on the screen.</summary>
    public required double ScreenGradients { get; init; }

    /// <summary>Spent in all.</summary>
    public required double SpentGradients { get; init; }

    /// <summary><see cref="SpentGradients"/> in trainings of the whole run.</summary>
    public required double SpentTrainings { get; init; }

    /// <summary>What screened; null where everything was replayed exactly.</summary>
    public Estimator? Screen { get; init; }

    /// <summary>What was done and why, in a sentence with the numbers.</summary>
    public required string Choice { get; init; }

    /// <summary>Candidates settled by exact replay, in the run's order.</summary>
    public IReadOnlyList<string> Settled { get; init; } = [];

    /// <summary>The first of the ranking, best first.</summary>
    public IReadOnlyList<string> Head { get; init; } = [];

    /// <summary>Whether the first of the ranking are the right candidates with at least that <see cref="Confidence"/>.</summary>
    public required bool Certain { get; init; }

    /// <summary>
    /// Root mean square of exact less screened effects, over settled candidates that some step follows; null where none is known.
    /// </summary>
    public double? ScreeningError { get; init; }

    /// <summary>Candidates that would have to be settled before the head can be certain.</summary>
    public IReadOnlyList<string> Open { get; init; } = [];

    /// <summary>What settling them would cost at most.</summary>
    public double OpenGradients { get; init; }

    /// <summary><see cref="OpenGradients"/> in trainings of the whole run.</summary>
    public double OpenTrainings { get; init; }

    /// <summary>The outcome in a sentence.</summary>
    public required string Finding { get; init; }
}
