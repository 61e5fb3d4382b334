using System.Globalization;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// What charts over steps share: shaded and named stages, axes, the learning rate on an axis of its own, and lines that are thinned without
/// losing their peaks.
/// </summary>
internal sealed class StepPlot(SvgCanvas canvas, LinearScale across, double bottom, IReadOnlyList<StageBand> bands)
{
    /// <summary>Places along the axis: of the points that share one, two are drawn.</summary>
    public const int Places = 700;

    public const double Width = 880;
    public const double Right = 806;
    public const double Top = 44;

    /// <summary>From zero up.</summary>
    public LinearScale RateScale(IEnumerable<StepRecord> steps) =>
        LinearScale.Over(steps.Select(step => step.LearningRate).Append(0), bottom, Top, 0.06);

    /// <summary>Every other stage shaded, every stage named above the plot where there is room.</summary>
    public void DrawBands()
    {
        foreach (var (index, band) in bands.Index())
        {
            var left = across.At(band.FirstStep - 0.5);
            var width = across.At(band.LastStep + 0.5) - left;
            if (index % 2 == 0) canvas.Rectangle(left, Top, width, bottom - Top, "band");
            canvas.Line(left, Top - 20, left, bottom, "grid");
            var length = (int)((width - 8) / 7.2);
            if (length >= 3) canvas.Text(left + 5, Top - 8, MarkupText.Shorten(band.Stage, length), "strong", fullText: band.Stage);
        }
    }

    public void DrawValueTicks(LinearScale up, int count)
    {
        foreach (var tick in up.Ticks(count))
        {
            canvas.Line(across.Start, up.At(tick), Right, up.At(tick), "grid");
            canvas.Text(across.Start - 7, up.At(tick) + 4, NumberText.Setting(tick), "minor", "end");
        }
    }

    public void DrawRateTicks(LinearScale rate)
    {
        foreach (var tick in rate.Ticks(4).Where(tick => tick >= 0))
        {
            canvas.Text(Right + 7, rate.At(tick) + 4, NumberText.Setting(tick), "rate-text");
        }
    }

    public void DrawStepTicks()
    {
        foreach (var tick in across.Ticks(8).Where(tick => tick == Math.Floor(tick)))
        {
            canvas.Text(across.At(tick), bottom + 17, NumberText.Setting(tick), "minor", "middle");
        }
    }

    /// <summary>Names the step axis and what the values on the left are.</summary>
    public void DrawTitles(string measure)
    {
        canvas.Text((across.Start + Right) / 2, bottom + 35, "step", "minor", "middle");
        DrawUpright(11, measure, "minor", -90);
    }

    public void DrawRateTitle() => DrawUpright(Width - 12, "learning rate", "rate-text", 90);

    /// <summary>A line sample and what the line is, for a legend.</summary>
    public void DrawSample(double left, double baseline, string look, string meaning, string textLook = "minor")
    {
        canvas.Line(left, baseline - 4, left + 24, baseline - 4, look);
        canvas.Text(left + 31, baseline, meaning, textLook);
    }

    /// <summary>Of all finite points that fall on one place, in step order: the lowest and the highest.</summary>
    public void DrawLine(IEnumerable<(int Step, double Value)> points, LinearScale up, string look)
    {
        var finite = points.Where(point => double.IsFinite(point.Value));
        var places = finite.GroupBy(point => (int)((across.At(point.Step) - across.Start) / (across.End - across.Start) * Places));
        var drawn = places.SelectMany(place =>
            new[] { place.MinBy(point => point.Value), place.MaxBy(point => point.Value) }.OrderBy(point => point.Step).Distinct());
        canvas.Path([.. drawn.Select(point => (across.At(point.Step), up.At(point.Value)))], look);
    }

    /// <summary>The steps of each stage by themselves: no line crosses from one job to the next.</summary>
    public IEnumerable<StepRecord[]> ByStage(IEnumerable<StepRecord> steps) =>
        steps.GroupBy(step => bands.TakeWhile(band => band.LastStep < step.Step).Count()).Select(group => group.ToArray());

    private void DrawUpright(double x, string text, string look, int degrees)
    {
        var middle = (Top + bottom) / 2;
        var turn = string.Create(CultureInfo.InvariantCulture, $"rotate({degrees} {x} {middle})");
        canvas.Text(x, middle, MarkupText.Shorten(text, 44), look, "middle", text, turn);
    }
}
