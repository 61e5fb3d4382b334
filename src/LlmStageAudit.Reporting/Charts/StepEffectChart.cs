using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// Single steps or batches in step order as upright bars about zero over shaded and named stages, with the learning rate on an axis of its
/// own. The largest are labelled. Of a long run's neighbouring steps the most raising and the most lowering one are drawn.
/// </summary>
internal sealed record StepEffectChart(string Id, string Title, string Measure, IReadOnlyList<StageFinding> Bars)
{
    /// <summary>Bars drawn; longer runs are thinned to as many.</summary>
    public const int MaximumBars = 2000;

    private const int Labelled = 5;
    private const double PlotLeft = 74;
    private const double PlotBottom = 320;
    private const double Thin = 4;

    /// <summary>In step order.</summary>
    public IReadOnlyList<StageBand> Bands { get; init; } = [];

    /// <summary>With their learning rates, in step order; empty: without that axis.</summary>
    public IReadOnlyList<StepRecord> Steps { get; init; } = [];

    public bool IsThinned => Bars.Count > MaximumBars;

    /// <summary>Neighbouring steps of which two are drawn, where the chart is thinned.</summary>
    public int StepsTogether => (Bars.Count + (MaximumBars / 2) - 1) / (MaximumBars / 2);

    private IEnumerable<StageFinding> Finite => Bars.Where(bar => double.IsFinite(bar.Estimate));

    private StageFinding[] Largest => [.. Finite.Where(bar => bar.Estimate != 0).OrderByDescending(bar => bar.Size).Take(Labelled)];

    /// <summary>
    /// What is drawn: all finite bars, or, of each of <see cref="MaximumBars"/> / 2 runs of neighbouring steps, the most raising one
    /// and the most lowering one.
    /// </summary>
    public IReadOnlyList<StageFinding> DrawnBars() => !IsThinned
        ? [.. Finite]
        : [.. Finite.Chunk(StepsTogether).SelectMany(near =>
            new[] { near.MaxBy(bar => bar.Estimate)!, near.MinBy(bar => bar.Estimate)! }.Distinct().OrderBy(bar => bar.Step))];

    public string Render()
    {
        var canvas = new SvgCanvas(Id, StepPlot.Width, 384, Title, Describe());
        canvas.HatchPatterns("hatch-raised", "hatch-lowered");
        var steps = Bars.Select(bar => bar.Step).Concat(Bands.SelectMany(band => new[] { band.FirstStep, band.LastStep })).ToArray();
        var across = steps.Length == 0
            ? new LinearScale(0, 1, PlotLeft, StepPlot.Right)
            : new LinearScale(steps.Min() - 0.75, steps.Max() + 0.75, PlotLeft, StepPlot.Right);
        var effect = LinearScale.Over(Bars.Select(bar => bar.Estimate).Append(0), PlotBottom, StepPlot.Top, 0.12);
        var plot = new StepPlot(canvas, across, PlotBottom, Bands);
        plot.DrawBands();
        plot.DrawValueTicks(effect, 6);
        plot.DrawStepTicks();
        plot.DrawTitles(Measure);
        if (Steps.Count > 0) DrawRates(plot);
        DrawBars(canvas, across, effect);
        canvas.Line(PlotLeft, effect.At(0), StepPlot.Right, effect.At(0), "zero");
        DrawLabels(canvas, across, effect);
        DrawLegend(canvas, plot);
        return canvas.Finish();
    }

    private static void DrawFilled(
        SvgCanvas canvas, IReadOnlyList<(double, double, double, double)> bars, string look, BarFill fill, bool isThin = false)
    {
        // An outline would fill a thin bar, and the hatch would not be seen.
        var (shape, pattern) = fill switch
        {
            BarFill.Solid => (look, null),
            BarFill.Hollow => ((isThin ? "thin-" : "hollow-") + look, null),
            _ => (isThin ? null : look + "-line", "hatch-" + look),
        };
        canvas.Bars(bars, shape, pattern);
    }

    private void DrawRates(StepPlot plot)
    {
        var rate = plot.RateScale(Steps);
        foreach (var stage in plot.ByStage(Steps)) plot.DrawLine(stage.Select(step => (step.Step, step.LearningRate)), rate, "rate");
        plot.DrawRateTicks(rate);
        plot.DrawRateTitle();
    }

    private void DrawBars(SvgCanvas canvas, LinearScale across, LinearScale effect)
    {
        var half = Math.Clamp(0.36 * (across.At(across.Low + 1) - across.Start), 0.4, 7);
        foreach (var group in DrawnBars().GroupBy(bar => (bar.Fill, bar.Look)))
        {
            var bars = group.Select(bar =>
                (across.At(bar.Step) - half, across.At(bar.Step) + half, effect.At(0), effect.At(bar.Estimate)));
            DrawFilled(canvas, [.. bars], group.Key.Look, group.Key.Fill, isThin: 2 * half < Thin);
        }
    }

    // Each label stands beyond its bar's end, else at the nearest place further out or aside that the others leave free, with a line to it.
    private void DrawLabels(SvgCanvas canvas, LinearScale across, LinearScale effect)
    {
        const double Letter = 6.6;
        const double LineHeight = 14;
        const double Gap = 6;
        int[] sides = [0, -1, 1, -2, 2, -3, 3, -4, 4];
        var taken = new List<(double Middle, double Half, double Baseline)>();
        foreach (var bar in Largest)
        {
            var text = "step " + NumberText.Setting(bar.Step);
            var half = text.Length * Letter / 2;
            var (x, tip) = (across.At(bar.Step), effect.At(bar.Estimate));
            var (outward, beyond) = bar.Estimate > 0 ? (-LineHeight, tip - 5) : (LineHeight, tip + 13);
            var wanted = (Middle: Math.Clamp(x, PlotLeft + half, StepPlot.Right - half), Baseline: beyond);
            var places = sides.SelectMany(side => Enumerable.Range(0, 3).Select(row =>
                (Middle: wanted.Middle + (side * ((2 * half) + Gap)), Baseline: beyond + (row * outward))));
            var (middle, baseline) = places.FirstOrDefault(at => IsFree(at.Middle, at.Baseline, half), wanted);
            taken.Add((middle, half, baseline));
            if ((middle, baseline) != wanted)
                canvas.Line(x, tip, Math.Clamp(x, middle - half, middle + half), baseline - 4, "leader");
            canvas.Text(middle, baseline, text, "minor mark", "middle");
        }

        bool IsFree(double middle, double baseline, double half) =>
            middle - half >= PlotLeft && middle + half <= StepPlot.Right
            && baseline >= StepPlot.Top + 10 && baseline <= PlotBottom - 2
            && taken.All(other => Math.Abs(middle - other.Middle) > half + other.Half || Math.Abs(baseline - other.Baseline) >= LineHeight);
    }

    private void DrawLegend(SvgCanvas canvas, StepPlot plot)
    {
        const double Baseline = PlotBottom + 56;
        var left = PlotLeft;
        foreach (var fill in Bars.Select(bar => bar.Fill).Distinct().Order())
        {
            DrawFilled(canvas, [(left, left + 9, Baseline - 10, Baseline + 2)], "raised", fill);
            DrawFilled(canvas, [(left + 11, left + 20, Baseline - 10, Baseline + 2)], "lowered", fill);
            canvas.Text(left + 27, Baseline, fill.InWords(), "minor");
            left += 136;
        }

        canvas.Text(left, Baseline, "▲ above zero: raised · ▼ below: lowered", "minor");
        if (Steps.Count > 0) plot.DrawSample(StepPlot.Right - 116, Baseline, "rate", "learning rate", "rate-text");
    }

    private string Describe()
    {
        var largest = Largest.Select(bar =>
        {
            var place = Bands.FirstOrDefault(band => band.Holds(bar.Step)) is { } band ? $" of {band.Stage}" : string.Empty;
            return $"step {NumberText.Setting(bar.Step)}{place} {NumberText.Signed(bar.Estimate)}";
        });
        var stages = Bands.Take(40).Select(band =>
            $"{band.Stage}: steps {NumberText.Count(band.FirstStep)} to {NumberText.Count(band.LastStep)}.");
        return $"{Measure}, {NumberText.Count(Bars.Count, "step")}. Largest: {string.Join(", ", largest)}. {string.Join(' ', stages)}";
    }
}
