using LlmStageAudit.Probing.Statistics;

namespace LlmStageAudit.Auditing.Comparison;

/// <summary>How predicted effects agree with measured ones. NaN: not defined.</summary>
internal readonly record struct Agreement(double Pearson, double Spearman, double RelativeError)
{
    public static Agreement None { get; } = new(double.NaN, double.NaN, double.NaN);

    public static Agreement Of(IReadOnlyList<double> predicted, IReadOnlyList<double> measured) =>
        predicted.Concat(measured).All(double.IsFinite)
            ? new Agreement(
                Correlation.Pearson(predicted, measured),
                Correlation.Spearman(predicted, measured),
                Correlation.RelativeError(predicted, measured))
            : None;

    /// <summary>The mean of each figure over those where it is defined.</summary>
    public static Agreement Mean(IReadOnlyCollection<Agreement> agreements)
    {
        return new Agreement(Of(one => one.Pearson), Of(one => one.Spearman), Of(one => one.RelativeError));

        double Of(Func<Agreement, double> figure) =>
            agreements.Select(figure).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();
    }
}
