using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// Predicted against measured effect of one stage, a point per probe row, over the line where both are equal. One facet: a page places
/// several side by side.
/// </summary>
internal sealed record ScatterChart
{
    /// <summary>Points that are drawn of all facets of one page; the numbers beside them are of all points.</summary>
    public const int MaximumPoints = 800;

    private const double Width = 300;
    private const double PlotLeft = 52;
    private const double PlotRight = 292;
    private const double PlotTop = 30;
    private const double PlotBottom = 270;

    /// <summary>Unique in the page; letters, digits and dashes.</summary>
    public required string Id { get; init; }

    public required string Stage { get; init; }

    /// <summary>Of the effects, such as "nats".</summary>
    public required string Unit { get; init; }

    public required IReadOnlyList<double> Predicted { get; init; }

    /// <summary>As long as <see cref="Predicted"/> and in the same order.</summary>
    public required IReadOnlyList<double> Measured { get; init; }

    /// <summary>NaN where a side does not vary.</summary>
    public required double Pearson { get; init; }

    /// <summary>NaN where a side does not vary.</summary>
    public required double Spearman { get; init; }

    public int PointLimit { get; init; } = MaximumPoints;

    /// <summary>
    /// Least-squares slope of measured over predicted, of the rows where both are finite: 1 where predictions have the right size. NaN
    /// where the predictions do not vary.
    /// </summary>
    public static double Slope(IReadOnlyList<double> predicted, IReadOnlyList<double> measured)
    {
        var rows = FiniteRows(predicted, measured);
        if (rows.Count == 0) return double.NaN;
        var meanPredicted = rows.Average(row => predicted[row]);
        var meanMeasured = rows.Average(row => measured[row]);
        var squares = rows.Sum(row => (predicted[row] - meanPredicted) * (predicted[row] - meanPredicted));
        var products = rows.Sum(row => (predicted[row] - meanPredicted) * (measured[row] - meanMeasured));
        return squares > 0 ? products / squares : double.NaN;
    }

    /// <summary>The rows that are drawn: all that are finite on both sides, or as many as allowed at even distances.</summary>
    public IReadOnlyList<int> DrawnRows()
    {
        var rows = FiniteRows(Predicted, Measured);
        if (rows.Count <= PointLimit) return rows;
        return Enumerable.Range(0, PointLimit).Select(index => rows[(int)((long)index * rows.Count / PointLimit)]).ToArray();
    }

    /// <summary>The chart as one <c>svg</c> element.</summary>
    public string Render()
    {
        var count = Math.Min(Predicted.Count, Measured.Count);
        var rows = DrawnRows();
        var slope = Slope(Predicted, Measured);
        var numbers = $"Pearson {NumberText.Value(Pearson)}, Spearman {NumberText.Value(Spearman)}, slope {NumberText.Value(slope)}, "
            + NumberText.Count(count, "probe row");
        var canvas = new SvgCanvas(Id, Width, 350, "Predicted against measured effect of " + Stage, numbers + ".");
        var values = rows.SelectMany(row => new[] { Predicted[row], Measured[row] }).Append(0);
        var across = LinearScale.Over(values, PlotLeft, PlotRight, 0.05);
        var up = new LinearScale(across.Low, across.High, PlotBottom, PlotTop);
        DrawFrame(canvas, across, up);
        foreach (var row in rows) canvas.Circle(across.At(Predicted[row]), up.At(Measured[row]), 2.7, "point");
        canvas.Text(PlotLeft, 16, MarkupText.Shorten(Stage, 30), "strong", fullText: Stage);
        canvas.Text(
            PlotLeft, 324, $"Pearson {NumberText.Value(Pearson)} · Spearman {NumberText.Value(Spearman)}", "minor");
        canvas.Text(
            PlotLeft,
            341,
            $"slope {NumberText.Value(slope)} · n = {NumberText.Count(count)}"
            + (rows.Count < count ? $" ({NumberText.Count(rows.Count)} drawn)" : string.Empty),
            "minor");
        return canvas.Finish();
    }

    private static List<int> FiniteRows(IReadOnlyList<double> predicted, IReadOnlyList<double> measured)
    {
        var count = Math.Min(predicted.Count, measured.Count);
        return Enumerable.Range(0, count).Where(row => double.IsFinite(predicted[row]) && double.IsFinite(measured[row])).ToList();
    }

    private void DrawFrame(SvgCanvas canvas, LinearScale across, LinearScale up)
    {
        foreach (var tick in across.Ticks(4))
        {
            canvas.Line(across.At(tick), PlotTop, across.At(tick), PlotBottom, "grid");
            canvas.Line(PlotLeft, up.At(tick), PlotRight, up.At(tick), "grid");
            canvas.Text(across.At(tick), PlotBottom + 15, NumberText.Setting(tick), "minor", "middle");
            canvas.Text(PlotLeft - 6, up.At(tick) + 4, NumberText.Setting(tick), "minor", "end");
        }

        canvas.Rectangle(PlotLeft, PlotTop, PlotRight - PlotLeft, PlotBottom - PlotTop, "frame");
        canvas.Line(PlotLeft, PlotBottom, PlotRight, PlotTop, "identity");
        canvas.Text(PlotRight - 6, PlotBottom - 8, "dashed: y = x", "minor", "end");
        canvas.Text((PlotLeft + PlotRight) / 2, PlotBottom + 32, $"predicted{UnitSuffix()}", "minor", "middle");
        canvas.Text(11, (PlotTop + PlotBottom) / 2, $"retrained{UnitSuffix()}", "minor", "middle", turn: "rotate(-90 11 150)");
    }

    private string UnitSuffix() => Unit.Length == 0 ? string.Empty : $" ({Unit})";
}
