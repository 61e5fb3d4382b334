using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// Groups by metrics. Each cell prints the observed value and, where a stage was left out, what the stage changed (observed minus
/// counterfactual) with an arrow; the tint is that change. Cells that the rows do not define are hatched and say NaN.
/// </summary>
internal sealed record GroupHeatMap
{
    private const double Width = 880;
    private const double LabelWidth = 190;
    private const double Top = 34;
    private const double RowHeight = 50;
    private const double DeepestTint = 0.6;

    /// <summary>Unique in the page; letters, digits and dashes.</summary>
    public required string Id { get; init; }

    public required string Title { get; init; }

    /// <summary>Names of the metrics.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    public required IReadOnlyList<HeatRow> Rows { get; init; }

    /// <summary>The chart as one <c>svg</c> element.</summary>
    public string Render()
    {
        var canvas = new SvgCanvas(Id, Width, Top + (RowHeight * Rows.Count) + 30, Title, Describe());
        canvas.HatchPattern("hatch-missing", "hatch-missing");
        var cellWidth = (Width - LabelWidth) / Math.Max(1, Columns.Count);
        var deepest = Rows.SelectMany(row => row.Cells).Select(Change).Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
        for (var column = 0; column < Columns.Count; column++)
        {
            var name = MarkupText.Shorten(Columns[column], Math.Max(4, (int)(cellWidth / 7)));
            canvas.Text(LabelWidth + (cellWidth * (column + 0.5)), 22, name, "minor", "middle", Columns[column]);
        }

        for (var row = 0; row < Rows.Count; row++)
        {
            var top = Top + (RowHeight * row);
            DrawLabel(canvas, Rows[row], top);
            for (var column = 0; column < Math.Min(Columns.Count, Rows[row].Cells.Count); column++)
            {
                DrawCell(canvas, Rows[row].Cells[column], LabelWidth + (cellWidth * column), top, cellWidth, deepest);
            }
        }

        DrawLegend(canvas, Top + (RowHeight * Rows.Count) + 22, deepest);
        return canvas.Finish();
    }

    private static double Change(HeatCell cell) => (cell.Observed - cell.Counterfactual) ?? double.NaN;

    private static void DrawLabel(SvgCanvas canvas, HeatRow row, double top)
    {
        canvas.Text(0, top + 22, MarkupText.Shorten(row.Group, 24), "strong", fullText: row.Group);
        var positives = row.Positives is { } count ? $", {NumberText.Count(count)} positive" : string.Empty;
        canvas.Text(0, top + 38, $"n = {NumberText.Count(row.Examples)}{positives}", "minor");
    }

    private static void DrawCell(SvgCanvas canvas, HeatCell cell, double left, double top, double width, double deepest)
    {
        var middle = left + (width / 2);
        if (cell.Observed is not { } observed)
        {
            canvas.Rectangle(left + 1, top + 1, width - 2, RowHeight - 2, "empty");
            canvas.Text(middle, top + 30, "–", "minor", "middle");
            return;
        }

        var change = Change(cell);
        var isDefined = double.IsFinite(observed) && (cell.Counterfactual is null || double.IsFinite(change));
        if (!isDefined)
        {
            canvas.Hatched(left + 1, top + 1, width - 2, RowHeight - 2, "hatch-missing", "cell");
        }
        else
        {
            var depth = cell.Counterfactual is null || deepest == 0 ? 0 : Math.Abs(change) / deepest;
            var look = cell.Counterfactual is null || change == 0 ? "band" : change > 0 ? "raised" : "lowered";
            canvas.Rectangle(left, top, width, RowHeight, look + " cell", 3, look == "band" ? null : 0.06 + (depth * (DeepestTint - 0.06)));
        }

        if (cell.Counterfactual is null || !double.IsFinite(observed))
        {
            canvas.Text(middle, top + 30, NumberText.Value(observed, 3), "strong", "middle");
            return;
        }

        canvas.Text(middle, top + 22, NumberText.Value(observed, 3), "strong", "middle");
        canvas.Text(middle, top + 39, ChangeText(change), "change", "middle");
    }

    private static string ChangeText(double change) => change switch
    {
        > 0 => "▲ " + NumberText.Signed(change, 2),
        < 0 => "▼ " + NumberText.Signed(change, 2),
        0 => "= 0",
        _ => "NaN",
    };

    private static string Describe(string column, HeatCell cell)
    {
        var change = cell.Counterfactual is null ? string.Empty : $" (stage changed it by {ChangeText(Change(cell))})";
        return $"{column} {NumberText.Value(cell.Observed ?? double.NaN, 3)}{change}";
    }

    private static void DrawLegend(SvgCanvas canvas, double baseline, double deepest)
    {
        if (deepest == 0) return;
        const int Swatches = 5;
        var left = LabelWidth + 4;
        canvas.Text(left, baseline, "▼ " + NumberText.Signed(-deepest, 2), "minor");
        left += 70;
        for (var index = -Swatches; index <= Swatches; index++)
        {
            var look = index < 0 ? "lowered" : index > 0 ? "raised" : "band";
            var depth = 0.06 + (Math.Abs(index) / (double)Swatches * (DeepestTint - 0.06));
            canvas.Rectangle(left, baseline - 10, 16, 12, look, opacity: index == 0 ? null : depth);
            left += 16;
        }

        canvas.Text(left + 8, baseline, "▲ " + NumberText.Signed(deepest, 2) + "   what the stage changed", "minor");
    }

    private string Describe()
    {
        var rows = Rows.Take(40).Select(row => $"{row.Group}, n {NumberText.Count(row.Examples)}: " + string.Join(", ", Columns
            .Zip(row.Cells)
            .Where(pair => pair.Second.Observed is not null)
            .Select(pair => Describe(pair.First, pair.Second))) + ".");
        return string.Join(' ', rows);
    }
}

/// <summary>One group of a <see cref="GroupHeatMap"/>.</summary>
/// <param name="Group">As the probe names it.</param>
/// <param name="Examples">Rows in the group.</param>
/// <param name="Positives">Of them with the positive label; null where not counted.</param>
/// <param name="Cells">One per column.</param>
internal sealed record HeatRow(string Group, long Examples, long? Positives, IReadOnlyList<HeatCell> Cells);

/// <summary>A metric of one group; NaN where the rows do not define it, null where it was not computed.</summary>
/// <param name="Observed">Of the model as trained.</param>
/// <param name="Counterfactual">Of the model without a stage.</param>
internal sealed record HeatCell(double? Observed, double? Counterfactual);
