using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Auditing.Comparison;

/// <summary>Estimators as a user lists them: recorded,sampled-0.1,aa-score-layer-wise.</summary>
public static class EstimatorList
{
    /// <summary>What is compared where nothing is asked for, beside exact replay.</summary>
    public static IReadOnlyList<string> OfStages { get; } =
        ["recorded", "linear", "midpoint", "sampled-0.1", "sampled-0.5", "adjoint", "aa-score", "aa-score-layer-wise", "dvemb", "tracin"];

    /// <summary>As <see cref="OfStages"/>, of single steps.</summary>
    public static IReadOnlyList<string> OfSteps { get; } = ["adjoint", "adjoint-quadratic"];

    /// <summary>Reads names between commas; each estimator once, in the order given.</summary>
    /// <exception cref="ConfigurationException">No such estimator, or a setting out of range.</exception>
    public static IReadOnlyList<Estimator> Parse(string text) =>
    [
        .. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(Estimator.Parse).Distinct(),
    ];
}
