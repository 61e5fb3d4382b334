namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// Stages as horizontal bars about zero, from top to bottom as given, with interval whiskers and, where a stage was retrained, the measured
/// effect as a diamond. Side, arrow and printed sign say what the colour says; solid, hatched or hollow says how far to trust it.
/// </summary>
internal sealed record StageEffectChart(string Id, string Title, string Measure, IReadOnlyList<StageFinding> Bars)
{
    private const double Width = 880;
    private const double BarsLeft = 212;
    private const double BarsRight = 676;
    private const double Top = 34;
    private const double RowHeight = 48;
    private const double BarHeight = 20;
    private const int LabelLength = 26;

    public string Render()
    {
        var bottom = Top + (RowHeight * Bars.Count);
        var canvas = new SvgCanvas(Id, Width, bottom + 78, Title, Describe());
        canvas.HatchPatterns("hatch-raised", "hatch-lowered");
        var values = Bars.SelectMany(bar => new[] { bar.Estimate, bar.Effect.Low ?? 0, bar.Effect.High ?? 0, bar.Measured ?? 0 });
        var scale = LinearScale.Over(values.Append(0), BarsLeft, BarsRight, 0.04);
        DrawAxis(canvas, scale, bottom);
        for (var row = 0; row < Bars.Count; row++) DrawBar(canvas, scale, Bars[row], Top + (RowHeight * (row + 0.5)));
        canvas.Line(scale.At(0), Top - 6, scale.At(0), bottom, "zero");
        DrawLegend(canvas, bottom + 62);
        return canvas.Finish();
    }

    private static void DrawBar(SvgCanvas canvas, LinearScale scale, StageFinding bar, double middle)
    {
        var effect = bar.Effect;
        canvas.Text(0, middle - 2, MarkupText.Shorten(effect.Stage, LabelLength), "strong", fullText: effect.Stage);
        canvas.Text(0, middle + 14, $"{bar.Direction} · {MarkupText.Shorten(bar.Grade, LabelLength)}", "minor");
        canvas.Text(Width, middle - 2, NumberText.Signed(bar.Estimate), "strong", "end");
        canvas.Text(Width, middle + 14, NumberText.Interval(effect.Low, effect.High), "minor", "end");
        if (!double.IsFinite(bar.Estimate))
        {
            canvas.Text(scale.At(0) + 8, middle + 4, "× not computable", "minor");
            return;
        }

        var left = Math.Min(scale.At(0), scale.At(bar.Estimate));
        var width = Math.Abs(scale.At(bar.Estimate) - scale.At(0));
        DrawFilled(canvas, left, middle - (BarHeight / 2), width, BarHeight, bar.Look, bar.Fill);
        if (effect is { Low: { } low, High: { } high } && double.IsFinite(low) && double.IsFinite(high))
        {
            DrawWhisker(canvas, scale.At(low), scale.At(high), middle, 5);
        }

        if (bar.Measured is { } measured && double.IsFinite(measured)) canvas.Diamond(scale.At(measured), middle, 6.5, "diamond");
    }

    private static void DrawFilled(SvgCanvas canvas, double left, double top, double width, double height, string look, BarFill fill)
    {
        if (fill == BarFill.Hatched)
        {
            canvas.Rectangle(left, top, width, height, look, opacity: 0.14);
            canvas.Rectangle(left, top, width, height, look + "-line", pattern: "hatch-" + look);
        }
        else
        {
            canvas.Rectangle(left, top, width, height, fill == BarFill.Hollow ? "hollow-" + look : look);
        }
    }

    private static void DrawWhisker(SvgCanvas canvas, double left, double right, double middle, double half)
    {
        canvas.Line(left, middle, right, middle, "whisker");
        canvas.Line(left, middle - half, left, middle + half, "whisker");
        canvas.Line(right, middle - half, right, middle + half, "whisker");
    }

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
        if (Bars.Any(bar => bar.Effect.Low is not null))
        {
            DrawWhisker(canvas, left, left + 20, baseline - 4, 4);
            canvas.Text(left + 27, baseline, "interval", "minor");
            left += 92;
        }

        foreach (var fill in Bars.Select(bar => bar.Fill).Distinct().Order())
        {
            if (fill == BarFill.Solid)
            {
                canvas.Rectangle(left, baseline - 10, 20, 12, "neutral");
            }
            else
            {
                DrawFilled(canvas, left, baseline - 10, 10, 12, "raised", fill);
                DrawFilled(canvas, left + 10, baseline - 10, 10, 12, "lowered", fill);
            }

            canvas.Text(left + 27, baseline, fill.InWords(), "minor");
            left += 136;
        }

        if (Bars.Any(bar => bar.Measured is not null))
        {
            canvas.Diamond(left + 8, baseline - 4, 6.5, "diamond");
            canvas.Text(left + 21, baseline, "measured by retraining", "minor");
        }
    }

    private string Describe()
    {
        var sentences = Bars.Take(40).Select(bar =>
            $"{bar.Effect.Stage}: {NumberText.Signed(bar.Estimate)}, "
            + (bar.HasInterval ? "interval " + NumberText.Interval(bar.Effect.Low, bar.Effect.High) : "no interval")
            + $", {bar.Grade}"
            + (bar.Measured is { } measured ? $", measured by retraining {NumberText.Signed(measured)}." : "."));
        return $"{Measure}. " + string.Join(' ', sentences);
    }
}
