using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>What charts over steps share: the shaded stages, and lines that are thinned without losing their peaks.</summary>
internal static class StepShapes
{
    /// <summary>Places along the axis: of the points that share one, two are drawn.</summary>
    public const int Places = 700;

    /// <summary>Every other stage shaded, every stage named above the plot where there is room.</summary>
    public static void DrawBands(SvgCanvas canvas, IReadOnlyList<StageBand> bands, LinearScale across, double top, double bottom)
    {
        for (var index = 0; index < bands.Count; index++)
        {
            var band = bands[index];
            var left = across.At(band.FirstStep - 0.5);
            var right = across.At(band.LastStep + 0.5);
            if (index % 2 == 0) canvas.Rectangle(left, top, right - left, bottom - top, "band");
            canvas.Line(left, top - 20, left, bottom, "grid");
            var length = (int)((right - left - 8) / 7.2);
            var label = MarkupText.Shorten(band.Stage, Math.Max(2, length));
            if (length >= 3) canvas.Text(left + 5, top - 8, label, "strong", fullText: band.Stage);
        }
    }

    /// <summary>Of all finite points that fall on one place, in step order: the lowest and the highest.</summary>
    public static List<(double X, double Y)> Thin(IEnumerable<(int Step, double Value)> points, LinearScale across, LinearScale up)
    {
        var drawn = new List<(double, double)>();
        var finite = points.Where(point => double.IsFinite(point.Value));
        foreach (var place in finite.GroupBy(point => (int)((across.At(point.Step) - across.Start) / (across.End - across.Start) * Places)))
        {
            var lowest = place.MinBy(point => point.Value);
            var highest = place.MaxBy(point => point.Value);
            var (first, second) = lowest.Step <= highest.Step ? (lowest, highest) : (highest, lowest);
            drawn.Add((across.At(first.Step), up.At(first.Value)));
            if (second != first) drawn.Add((across.At(second.Step), up.At(second.Value)));
        }

        return drawn;
    }

    /// <summary>The points of each stage by themselves: no line crosses from one job to the next.</summary>
    public static IEnumerable<IReadOnlyList<T>> ByStage<T>(IEnumerable<T> points, IReadOnlyList<StageBand> bands, Func<T, int> step) =>
        points.GroupBy(point => bands.TakeWhile(band => band.LastStep < step(point)).Count())
            .Select(group => (IReadOnlyList<T>)group.ToArray());
}

/// <summary>The steps of one stage on a chart over steps, both ends included.</summary>
internal sealed record StageBand(string Stage, int FirstStep, int LastStep);
