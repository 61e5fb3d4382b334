using LlmStageAudit.Records.Verifications;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// Predicted against measured effect of one stage, a point per probe row, over the line where both are equal. One facet: a page places
/// several side by side. The metric gives the unit; empty where it is not known.
/// </summary>
internal sealed record ScatterChart(string Id, VerifiedStage Stage, string Metric)
{
    /// <summary>Points that are drawn of all facets of one page; the numbers beside them are of all points.</summary>
    public const int MaximumPoints = 800;

    private const double Width = 300;
    private const double PlotLeft = 52;
    private const double PlotRight = 292;
    private const double PlotTop = 30;
    private const double PlotBottom = 270;

    public int PointLimit { get; init; } = MaximumPoints;

    /// <summary>
    /// Least-squares slope of measured over predicted, of the rows where both are finite: 1 where predictions have the right size. NaN
    /// where the predictions do not vary.
    /// </summary>
    public static double Slope(VerifiedStage stage)
    {
        var rows = FiniteRows(stage);
        if (rows.Length == 0) return double.NaN;
        var meanPredicted = rows.Average(row => row.Predicted);
        var meanMeasured = rows.Average(row => row.Measured);
        var squares = rows.Sum(row => (row.Predicted - meanPredicted) * (row.Predicted - meanPredicted));
        var products = rows.Sum(row => (row.Predicted - meanPredicted) * (row.Measured - meanMeasured));
        return squares > 0 ? products / squares : double.NaN;
    }

    /// <summary>The rows that are drawn: all that are finite on both sides, or as many as allowed at even distances.</summary>
    public IReadOnlyList<(double Predicted, double Measured)> DrawnRows()
    {
        var rows = FiniteRows(Stage);
        return rows.Length <= PointLimit
            ? rows
            : [.. Enumerable.Range(0, PointLimit).Select(index => rows[(int)((long)index * rows.Length / PointLimit)])];
    }

    public string Render()
    {
        var count = Math.Min(Stage.PredictedPerExample.Count, Stage.MeasuredPerExample.Count);
        var rows = DrawnRows();
        var (pearson, spearman, slope) =
            (NumberText.Value(Stage.Pearson), NumberText.Value(Stage.Spearman), NumberText.Value(Slope(Stage)));
        var numbers = $"Pearson {pearson}, Spearman {spearman}, slope {slope}, {NumberText.Count(count, "probe row")}.";
        var canvas = new SvgCanvas(Id, Width, 350, "Predicted against measured effect of " + Stage.Stage, numbers);
        var values = rows.SelectMany(row => new[] { row.Predicted, row.Measured }).Append(0);
        var across = LinearScale.Over(values, PlotLeft, PlotRight, 0.05);
        var up = new LinearScale(across.Low, across.High, PlotBottom, PlotTop);
        DrawFrame(canvas, across, up);
        foreach (var row in rows) canvas.Circle(across.At(row.Predicted), up.At(row.Measured), 2.7, "point");
        canvas.Text(PlotLeft, 16, MarkupText.Shorten(Stage.Stage, 30), "strong", fullText: Stage.Stage);
        canvas.Text(PlotLeft, 324, $"Pearson {pearson} · Spearman {spearman}", "minor");
        var drawn = rows.Count < count ? $" ({NumberText.Count(rows.Count)} drawn)" : string.Empty;
        canvas.Text(PlotLeft, 341, $"slope {slope} · n = {NumberText.Count(count)}{drawn}", "minor");
        return canvas.Finish();
    }

    private static (double Predicted, double Measured)[] FiniteRows(VerifiedStage stage) =>
    [
        .. stage.PredictedPerExample.Zip(stage.MeasuredPerExample)
            .Where(row => double.IsFinite(row.First) && double.IsFinite(row.Second)),
    ];

    private void DrawFrame(SvgCanvas canvas, LinearScale across, LinearScale up)
    {
        foreach (var tick in across.Ticks(4))
        {
            canvas.Line(across.At(tick), PlotTop, across.At(tick), PlotBottom, "grid");
            canvas.Line(PlotLeft, up.At(tick), PlotRight, up.At(tick), "grid");
            canvas.Text(across.At(tick), PlotBottom + 15, NumberText.Setting(tick), "minor", "middle");
            canvas.Text(PlotLeft - 6, up.At(tick) + 4, NumberText.Setting(tick), "minor", "end");
        }

        var unit = MetricText.UnitInBrackets(Metric);
        canvas.Rectangle(PlotLeft, PlotTop, PlotRight - PlotLeft, PlotBottom - PlotTop, "frame");
        canvas.Line(PlotLeft, PlotBottom, PlotRight, PlotTop, "identity");
        canvas.Text(PlotRight - 6, PlotBottom - 8, "dashed: y = x", "minor", "end");
        canvas.Text((PlotLeft + PlotRight) / 2, PlotBottom + 32, "predicted" + unit, "minor", "middle");
        canvas.Text(11, (PlotTop + PlotBottom) / 2, "retrained" + unit, "minor", "middle", turn: "rotate(-90 11 150)");
    }
}
