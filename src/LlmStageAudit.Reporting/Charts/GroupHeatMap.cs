using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// Groups by metrics, the first of each. Each cell prints the observed value and, where a stage was left out, what the stage changed
/// (observed minus counterfactual) with an arrow; the tint is that change. Cells that the rows do not define are hatched and say NaN.
/// </summary>
internal sealed record GroupHeatMap(string Id, string Title, ProbeScores Observed, ProbeScores? Counterfactual)
{
    /// <summary>The first groups are drawn.</summary>
    public const int MaximumGroups = 30;

    /// <summary>The first metrics, in reading order, are drawn.</summary>
    public const int MaximumColumns = 8;

    private const string Positives = "positives";
    private const double Width = 880;
    private const double LabelWidth = 190;
    private const double Top = 34;
    private const double RowHeight = 50;
    private const double DeepestTint = 0.6;

    /// <summary>Keys of every metric of a group, in reading order.</summary>
    public static IReadOnlyList<string> MetricsOf(ProbeScores scores) =>
        MetricText.InOrder(scores.Groups.SelectMany(group => group.Metrics.Keys).Where(key => key != Positives));

    public string Render()
    {
        var keys = MetricsOf(Observed).Take(MaximumColumns).ToArray();
        var others = (Counterfactual?.Groups ?? []).ToLookup(group => group.Group, StringComparer.Ordinal);
        var rows = Observed.Groups.Take(MaximumGroups).Select(group => (Group: group, Cells: keys
            .Select(key => new Cell(ValueOf(group, key), ValueOf(others[group.Group].FirstOrDefault(), key)))
            .ToArray())).ToArray();
        var bottom = Top + (RowHeight * rows.Length);
        var description = rows.Select(row => $"{row.Group.Group}, n {NumberText.Count(row.Group.Examples)}: "
            + string.Join(", ", keys.Zip(row.Cells).Where(pair => pair.Second.Observed is not null).Select(Describe)) + ".");
        var canvas = new SvgCanvas(Id, Width, bottom + 30, Title, string.Join(' ', description));
        canvas.HatchPatterns("hatch-missing");
        var cellWidth = (Width - LabelWidth) / Math.Max(1, keys.Length);
        var changes = rows.SelectMany(row => row.Cells).Select(cell => Math.Abs(cell.Change));
        var deepest = changes.Where(double.IsFinite).DefaultIfEmpty(0).Max();
        foreach (var (column, heading) in keys.Select(MetricText.Heading).Index())
        {
            var name = MarkupText.Shorten(heading, Math.Max(4, (int)(cellWidth / 7)));
            canvas.Text(LabelWidth + (cellWidth * (column + 0.5)), 22, name, "minor", "middle", heading);
        }

        foreach (var (row, (group, cells)) in rows.Index())
        {
            var top = Top + (RowHeight * row);
            DrawLabel(canvas, group, top);
            foreach (var (column, cell) in cells.Index())
            {
                DrawCell(canvas, cell, LabelWidth + (cellWidth * column), top, cellWidth, deepest);
            }
        }

        if (deepest > 0) DrawLegend(canvas, bottom + 22, deepest);
        return canvas.Finish();
    }

    private static double? ValueOf(GroupScores? group, string key) =>
        group is not null && group.Metrics.TryGetValue(key, out var value) ? value : null;

    private static void DrawLabel(SvgCanvas canvas, GroupScores group, double top)
    {
        canvas.Text(0, top + 22, MarkupText.Shorten(group.Group, 24), "strong", fullText: group.Group);
        var positives = ValueOf(group, Positives) is { } count && Math.Abs(count) < 1e15
            ? $", {NumberText.Count((long)count)} positive"
            : string.Empty;
        canvas.Text(0, top + 38, $"n = {NumberText.Count(group.Examples)}{positives}", "minor");
    }

    private static void DrawCell(SvgCanvas canvas, Cell cell, double left, double top, double width, double deepest)
    {
        var middle = left + (width / 2);
        if (cell.Observed is not { } observed)
        {
            canvas.Rectangle(left + 1, top + 1, width - 2, RowHeight - 2, "empty");
            canvas.Text(middle, top + 30, "–", "minor", "middle");
            return;
        }

        var change = cell.Counterfactual is null ? 0 : cell.Change;
        if (double.IsFinite(observed) && double.IsFinite(change))
        {
            DrawTint(canvas, left, top, width, RowHeight, deepest == 0 ? 0 : change / deepest, " cell", 3);
        }
        else
        {
            canvas.Rectangle(left + 1, top + 1, width - 2, RowHeight - 2, "cell", pattern: "hatch-missing");
        }

        var isAlone = cell.Counterfactual is null || !double.IsFinite(observed);
        canvas.Text(middle, top + (isAlone ? 30 : 22), NumberText.Value(observed, 3), "strong", "middle");
        if (!isAlone) canvas.Text(middle, top + 39, ChangeText(change), "change", "middle");
    }

    // Of a share of the deepest change, -1 to 1.
    private static void DrawTint(
        SvgCanvas canvas, double left, double top, double width, double height, double share, string look = "", double? corner = null)
    {
        double? opacity = share == 0 ? null : 0.06 + (Math.Abs(share) * (DeepestTint - 0.06));
        canvas.Rectangle(left, top, width, height, (share > 0 ? "raised" : share < 0 ? "lowered" : "band") + look, corner, opacity);
    }

    private static void DrawLegend(SvgCanvas canvas, double baseline, double deepest)
    {
        const int Swatches = 5;
        var left = LabelWidth + 4;
        canvas.Text(left, baseline, ChangeText(-deepest), "minor");
        left += 70;
        for (var index = -Swatches; index <= Swatches; index++, left += 16)
        {
            DrawTint(canvas, left, baseline - 10, 16, 12, index / (double)Swatches);
        }

        canvas.Text(left + 8, baseline, ChangeText(deepest) + "   what the stage changed", "minor");
    }

    private static string ChangeText(double change) => change switch
    {
        > 0 => "▲ " + NumberText.Signed(change, 2),
        < 0 => "▼ " + NumberText.Signed(change, 2),
        0 => "= 0",
        _ => "NaN",
    };

    private static string Describe((string Key, Cell Cell) shown)
    {
        var change = shown.Cell.Counterfactual is null ? string.Empty : $" (stage changed it by {ChangeText(shown.Cell.Change)})";
        return $"{MetricText.Heading(shown.Key)} {NumberText.Value(shown.Cell.Observed ?? double.NaN, 3)}{change}";
    }

    // A metric of one group, NaN where the rows do not define it; null where it was not computed.
    private sealed record Cell(double? Observed, double? Counterfactual)
    {
        public double Change => (Observed - Counterfactual) ?? double.NaN;
    }
}
