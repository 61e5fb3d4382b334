using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// Steps as upright bars about zero over shaded and named stages, with the learning rate on an axis of its own. The largest are
/// labelled. Of a long run's neighbouring steps the most raising and the most lowering one are drawn.
/// </summary>
internal sealed record StepEffectChart
{
    /// <summary>Bars drawn; longer runs are thinned to as many.</summary>
    public const int MaximumBars = 2000;

    private const int Labelled = 5;
    private const double Width = 880;
    private const double PlotLeft = 74;
    private const double PlotRight = 806;
    private const double PlotTop = 44;
    private const double PlotBottom = 320;
    private const double Thin = 4;

    /// <summary>Unique in the page; letters, digits and dashes.</summary>
    public required string Id { get; init; }

    public required string Title { get; init; }

    /// <summary>What the bars measure, with its unit: the axis title.</summary>
    public required string Measure { get; init; }

    /// <summary>In step order.</summary>
    public required IReadOnlyList<StepBar> Bars { get; init; }

    /// <summary>In step order.</summary>
    public IReadOnlyList<StageBand> Bands { get; init; } = [];

    /// <summary>Learning rates by step, in step order; empty: without that axis.</summary>
    public IReadOnlyList<(int Step, double LearningRate)> Rates { get; init; } = [];

    public bool IsThinned => Bars.Count > MaximumBars;

    /// <summary>Neighbouring steps of which two are drawn, where the chart is thinned.</summary>
    public int StepsTogether => (Bars.Count + (MaximumBars / 2) - 1) / (MaximumBars / 2);

    /// <summary>
    /// What is drawn: all finite bars, or, of each of <see cref="MaximumBars"/> / 2 runs of neighbouring steps, the most raising one
    /// and the most lowering one.
    /// </summary>
    public IReadOnlyList<StepBar> DrawnBars()
    {
        var finite = Bars.Where(bar => double.IsFinite(bar.Estimate));
        if (!IsThinned) return [.. finite];
        return
        [
            .. finite.Chunk(StepsTogether).SelectMany(near =>
                new[] { near.MaxBy(bar => bar.Estimate)!, near.MinBy(bar => bar.Estimate)! }.Distinct().OrderBy(bar => bar.Step)),
        ];
    }

    /// <summary>The largest by size, in step order.</summary>
    public IReadOnlyList<StepBar> LabelledBars() =>
    [
        .. Bars.Where(bar => double.IsFinite(bar.Estimate) && bar.Estimate != 0)
            .OrderByDescending(bar => Math.Abs(bar.Estimate))
            .Take(Labelled)
            .OrderBy(bar => bar.Step),
    ];

    /// <summary>The chart as one <c>svg</c> element.</summary>
    public string Render()
    {
        var canvas = new SvgCanvas(Id, Width, 384, Title, Describe());
        canvas.HatchPattern("hatch-raised", "hatch-raised");
        canvas.HatchPattern("hatch-lowered", "hatch-lowered");
        var steps = Bars.Select(bar => bar.Step)
            .Concat(Bands.SelectMany(band => new[] { band.FirstStep, band.LastStep }))
            .Order()
            .ToArray();
        var across = steps.Length == 0
            ? new LinearScale(0, 1, PlotLeft, PlotRight)
            : new LinearScale(steps[0] - 0.75, steps[^1] + 0.75, PlotLeft, PlotRight);
        var effect = LinearScale.Over(Bars.Select(bar => bar.Estimate).Append(0), PlotBottom, PlotTop, 0.12);
        StepShapes.DrawBands(canvas, Bands, across, PlotTop, PlotBottom);
        DrawAxes(canvas, across, effect);
        DrawRates(canvas, across);
        DrawBars(canvas, across, effect);
        canvas.Line(PlotLeft, effect.At(0), PlotRight, effect.At(0), "zero");
        DrawLabels(canvas, across, effect);
        DrawLegend(canvas);
        return canvas.Finish();
    }

    private void DrawAxes(SvgCanvas canvas, LinearScale across, LinearScale effect)
    {
        foreach (var tick in effect.Ticks(6))
        {
            canvas.Line(PlotLeft, effect.At(tick), PlotRight, effect.At(tick), "grid");
            canvas.Text(PlotLeft - 7, effect.At(tick) + 4, NumberText.Setting(tick), "minor", "end");
        }

        foreach (var tick in across.Ticks(8).Where(tick => tick == Math.Floor(tick)))
        {
            canvas.Text(across.At(tick), PlotBottom + 17, NumberText.Setting(tick), "minor", "middle");
        }

        canvas.Text((PlotLeft + PlotRight) / 2, PlotBottom + 35, "step", "minor", "middle");
        canvas.Text(11, 182, MarkupText.Shorten(Measure, 44), "minor", "middle", fullText: Measure, turn: "rotate(-90 11 182)");
    }

    private void DrawRates(SvgCanvas canvas, LinearScale across)
    {
        if (Rates.Count == 0) return;
        var rate = LinearScale.Over(Rates.Select(point => point.LearningRate).Append(0), PlotBottom, PlotTop, 0.06);
        foreach (var stage in StepShapes.ByStage(Rates, Bands, point => point.Step))
        {
            canvas.Path(StepShapes.Thin(stage, across, rate), "rate");
        }

        foreach (var tick in rate.Ticks(4).Where(tick => tick >= 0))
        {
            canvas.Text(PlotRight + 7, rate.At(tick) + 4, NumberText.Setting(tick), "rate-text");
        }

        var right = NumberText.Coordinate(Width - 12);
        canvas.Text(Width - 12, 182, "learning rate", "rate-text", "middle", turn: $"rotate(90 {right} 182)");
    }

    private void DrawBars(SvgCanvas canvas, LinearScale across, LinearScale effect)
    {
        var half = Math.Clamp(0.36 * (across.At(across.Low + 1) - across.Start), 0.4, 7);
        var isThin = 2 * half < Thin;
        foreach (var group in DrawnBars().GroupBy(bar => (bar.Fill, Look: bar.Estimate < 0 ? "lowered" : "raised")))
        {
            var bars = group
                .Select(bar => (across.At(bar.Step) - half, across.At(bar.Step) + half, effect.At(0), effect.At(bar.Estimate)))
                .ToArray();
            var look = group.Key.Look;
            switch (group.Key.Fill)
            {
                case BarFill.Solid:
                    canvas.Bars(bars, look);
                    break;
                case BarFill.Hollow:
                    canvas.Bars(bars, (isThin ? "thin-" : "hollow-") + look);
                    break;
                default:
                    // An outline would fill a thin bar, and the hatch would not be seen.
                    canvas.Bars(bars, isThin ? null : look + "-line", "hatch-" + look);
                    break;
            }
        }
    }

    // Each label stands beyond its bar's end, or as near to that as the others leave room, with a line to it where it had to move.
    private void DrawLabels(SvgCanvas canvas, LinearScale across, LinearScale effect)
    {
        const double Letter = 6.6;
        var space = new LabelSpace(PlotLeft, PlotRight, PlotTop, PlotBottom);
        foreach (var bar in LabelledBars().OrderByDescending(bar => Math.Abs(bar.Estimate)))
        {
            var text = "step " + NumberText.Setting(bar.Step);
            var half = text.Length * Letter / 2;
            var (x, tip) = (across.At(bar.Step), effect.At(bar.Estimate));
            var isRaised = bar.Estimate > 0;
            var (middle, baseline, isMoved) = space.Place(x, isRaised ? tip - 5 : tip + 13, 2 * half, isRaised ? -1 : 1);
            if (isMoved) canvas.Line(x, tip, Math.Clamp(x, middle - half, middle + half), baseline - 4, "leader");
            canvas.Text(middle, baseline, text, "minor mark", "middle");
        }
    }

    private void DrawLegend(SvgCanvas canvas)
    {
        const double Baseline = PlotBottom + 56;
        var left = PlotLeft;
        foreach (var fill in Bars.Select(bar => bar.Fill).Distinct().Order())
        {
            foreach (var (look, offset) in new[] { ("raised", 0.0), ("lowered", 11.0) })
            {
                var swatch = new[] { (left + offset, left + offset + 9, Baseline - 10, Baseline + 2) };
                if (fill == BarFill.Hatched) canvas.Bars(swatch, look + "-line", "hatch-" + look);
                else canvas.Bars(swatch, (fill == BarFill.Hollow ? "hollow-" : string.Empty) + look);
            }

            var meaning = fill switch { BarFill.Solid => "verified", BarFill.Hollow => "low trust", _ => "not verified" };
            canvas.Text(left + 27, Baseline, meaning, "minor");
            left += 112;
        }

        canvas.Text(left, Baseline, "▲ above zero: raised · ▼ below: lowered", "minor");
        if (Rates.Count == 0) return;
        canvas.Line(PlotRight - 116, Baseline - 4, PlotRight - 92, Baseline - 4, "rate");
        canvas.Text(PlotRight - 85, Baseline, "learning rate", "rate-text");
    }

    private string Describe()
    {
        var largest = LabelledBars().OrderByDescending(bar => Math.Abs(bar.Estimate)).Select(bar =>
        {
            var stage = Bands.FirstOrDefault(band => bar.Step >= band.FirstStep && bar.Step <= band.LastStep)?.Stage;
            var place = stage is null ? string.Empty : $" of {stage}";
            return $"step {NumberText.Setting(bar.Step)}{place} {NumberText.Signed(bar.Estimate)}";
        });
        var stages = Bands.Take(40).Select(band =>
            $"{band.Stage}: steps {NumberText.Count(band.FirstStep)} to {NumberText.Count(band.LastStep)}.");
        return $"{Measure}, {NumberText.Count(Bars.Count, "step")}. Largest: {string.Join(", ", largest)}. {string.Join(' ', stages)}";
    }
}
