using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// Stages as horizontal bars about zero, with interval whiskers and, where a stage was retrained, the measured effect as a diamond. Side,
/// arrow and printed sign say what the colour says; solid, hatched or hollow says how far to trust it.
/// </summary>
internal sealed record StageEffectChart
{
    private const double Width = 880;
    private const double BarsLeft = 212;
    private const double BarsRight = 676;
    private const double Top = 34;
    private const double RowHeight = 48;
    private const double BarHeight = 20;
    private const int LabelLength = 26;

    /// <summary>Unique in the page; letters, digits and dashes.</summary>
    public required string Id { get; init; }

    public required string Title { get; init; }

    /// <summary>What the bars measure, with its unit: the axis title.</summary>
    public required string Measure { get; init; }

    /// <summary>From top to bottom.</summary>
    public required IReadOnlyList<StageBar> Bars { get; init; }

    /// <summary>The chart as one <c>svg</c> element.</summary>
    public string Render()
    {
        var bottom = Top + (RowHeight * Bars.Count);
        var canvas = new SvgCanvas(Id, Width, bottom + 78, Title, Describe());
        canvas.HatchPattern("hatch-raised", "hatch-raised");
        canvas.HatchPattern("hatch-lowered", "hatch-lowered");
        var values = Bars.SelectMany(bar => new[] { bar.Estimate, bar.Low ?? 0, bar.High ?? 0, bar.Measured ?? 0 }).Append(0);
        var scale = LinearScale.Over(values, BarsLeft, BarsRight, 0.04);
        DrawAxis(canvas, scale, bottom);
        for (var row = 0; row < Bars.Count; row++) DrawBar(canvas, scale, Bars[row], Top + (RowHeight * (row + 0.5)));
        canvas.Line(scale.At(0), Top - 6, scale.At(0), bottom, "zero");
        DrawLegend(canvas, bottom + 62);
        return canvas.Finish();
    }

    private static void DrawBar(SvgCanvas canvas, LinearScale scale, StageBar bar, double middle)
    {
        canvas.Text(0, middle - 2, MarkupText.Shorten(bar.Stage, LabelLength), "strong", fullText: bar.Stage);
        canvas.Text(0, middle + 14, $"{DirectionOf(bar.Estimate)} · {MarkupText.Shorten(bar.Standing, LabelLength)}", "minor");
        canvas.Text(Width, middle - 2, NumberText.Signed(bar.Estimate), "strong", "end");
        canvas.Text(Width, middle + 14, NumberText.Interval(bar.Low, bar.High), "minor", "end");
        if (!double.IsFinite(bar.Estimate))
        {
            canvas.Text(scale.At(0) + 8, middle + 4, "× not computable", "minor");
            return;
        }

        var look = bar.Estimate < 0 ? "lowered" : "raised";
        var left = Math.Min(scale.At(0), scale.At(bar.Estimate));
        var width = Math.Abs(scale.At(bar.Estimate) - scale.At(0));
        DrawFilled(canvas, left, middle - (BarHeight / 2), width, BarHeight, look, bar.Fill);
        if (bar is { Low: { } low, High: { } high } && double.IsFinite(low) && double.IsFinite(high))
        {
            canvas.Line(scale.At(low), middle, scale.At(high), middle, "whisker");
            canvas.Line(scale.At(low), middle - 5, scale.At(low), middle + 5, "whisker");
            canvas.Line(scale.At(high), middle - 5, scale.At(high), middle + 5, "whisker");
        }

        if (bar.Measured is { } measured && double.IsFinite(measured)) canvas.Diamond(scale.At(measured), middle, 6.5, "diamond");
    }

    private static void DrawFilled(SvgCanvas canvas, double left, double top, double width, double height, string look, BarFill fill)
    {
        switch (fill)
        {
            case BarFill.Solid:
                canvas.Rectangle(left, top, width, height, look);
                break;
            case BarFill.Hollow:
                canvas.Rectangle(left, top, width, height, "hollow-" + look);
                break;
            default:
                canvas.Rectangle(left, top, width, height, look, opacity: 0.14);
                canvas.Hatched(left, top, width, height, "hatch-" + look, look + "-line");
                break;
        }
    }

    private static string DirectionOf(double estimate) => estimate switch
    {
        > 0 => "▲ raised",
        < 0 => "▼ lowered",
        0 => "no change",
        _ => "× not computable",
    };

    private void DrawAxis(SvgCanvas canvas, LinearScale scale, double bottom)
    {
        foreach (var tick in scale.Ticks(5))
        {
            canvas.Line(scale.At(tick), Top - 6, scale.At(tick), bottom, "grid");
            canvas.Text(scale.At(tick), bottom + 16, NumberText.Setting(tick), "minor", "middle");
        }

        canvas.Text(BarsLeft, 14, "← lowered", "minor");
        canvas.Text(BarsRight, 14, "raised →", "minor", "end");
        canvas.Text(Width, 14, "effect, interval", "minor", "end");
        canvas.Text((BarsLeft + BarsRight) / 2, bottom + 35, Measure, "minor", "middle");
    }

    private void DrawLegend(SvgCanvas canvas, double baseline)
    {
        var left = BarsLeft;
        if (Bars.Any(bar => bar.Low is not null))
        {
            canvas.Line(left, baseline - 4, left + 20, baseline - 4, "whisker");
            canvas.Line(left, baseline - 8, left, baseline, "whisker");
            canvas.Line(left + 20, baseline - 8, left + 20, baseline, "whisker");
            canvas.Text(left + 27, baseline, "interval", "minor");
            left += 92;
        }

        if (Bars.Any(bar => bar.Fill == BarFill.Solid))
        {
            canvas.Rectangle(left, baseline - 10, 20, 12, "neutral");
            canvas.Text(left + 27, baseline, "verified", "minor");
            left += 92;
        }

        if (Bars.Any(bar => bar.Fill == BarFill.Hatched))
        {
            DrawFilled(canvas, left, baseline - 10, 10, 12, "raised", BarFill.Hatched);
            DrawFilled(canvas, left + 10, baseline - 10, 10, 12, "lowered", BarFill.Hatched);
            canvas.Text(left + 27, baseline, "not verified", "minor");
            left += 112;
        }

        if (Bars.Any(bar => bar.Fill == BarFill.Hollow))
        {
            DrawFilled(canvas, left, baseline - 10, 10, 12, "raised", BarFill.Hollow);
            DrawFilled(canvas, left + 10, baseline - 10, 10, 12, "lowered", BarFill.Hollow);
            canvas.Text(left + 27, baseline, "low trust", "minor");
            left += 100;
        }

        if (Bars.Any(bar => bar.Measured is not null))
        {
            canvas.Diamond(left + 8, baseline - 4, 6.5, "diamond");
            canvas.Text(left + 21, baseline, "measured by retraining", "minor");
        }
    }

    private string Describe()
    {
        const int Described = 40;
        var sentences = Bars.Take(Described).Select(bar =>
            $"{bar.Stage}: {NumberText.Signed(bar.Estimate)}, "
            + (bar.Low is null && bar.High is null ? "no interval" : "interval " + NumberText.Interval(bar.Low, bar.High))
            + $", {bar.Standing}"
            + (bar.Measured is { } measured ? $", measured by retraining {NumberText.Signed(measured)}." : "."));
        return $"{Measure}. " + string.Join(' ', sentences);
    }
}
