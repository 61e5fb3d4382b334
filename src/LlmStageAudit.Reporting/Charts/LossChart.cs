using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// Loss per step as logged and as an exponential moving average that starts anew with every stage, over shaded and labelled stages,
/// with the learning rate on an axis of its own. Long runs are thinned: of the steps that share a place, the lowest and the highest loss
/// are drawn.
/// </summary>
internal sealed record LossChart
{
    /// <summary>Weight of the past in the moving average, which is corrected for its start.</summary>
    public const double Smoothing = 0.8;

    private const double Width = 880;
    private const double PlotLeft = 56;
    private const double PlotRight = 806;
    private const double PlotTop = 44;
    private const double PlotBottom = 290;

    /// <summary>Unique in the page; letters, digits and dashes.</summary>
    public required string Id { get; init; }

    /// <summary>In step order.</summary>
    public required IReadOnlyList<LossPoint> Points { get; init; }

    /// <summary>In step order.</summary>
    public required IReadOnlyList<StageBand> Bands { get; init; }

    /// <summary>Whether the raw line leaves steps out.</summary>
    public bool IsThinned => Points.Count > 2 * StepShapes.Places;

    /// <summary>
    /// <c>a_k = s a_(k-1) + (1 - s) x_k</c>, divided by <c>1 - s^k</c>; a value that is not finite is passed over and keeps the average.
    /// </summary>
    public static IReadOnlyList<double> MovingAverage(IReadOnlyList<double> values, double smoothing)
    {
        var averages = new double[values.Count];
        var (sum, weight) = (0.0, 0.0);
        for (var index = 0; index < values.Count; index++)
        {
            if (double.IsFinite(values[index]))
            {
                sum = (smoothing * sum) + ((1 - smoothing) * values[index]);
                weight = (smoothing * weight) + (1 - smoothing);
            }

            averages[index] = weight > 0 ? sum / weight : double.NaN;
        }

        return averages;
    }

    /// <summary>The chart as one <c>svg</c> element.</summary>
    public string Render()
    {
        var canvas = new SvgCanvas(Id, Width, 350, "Training loss per step", Describe());
        var across = LinearScale.Over(Points.Select(point => (double)point.Step), PlotLeft, PlotRight, 0.01);
        var loss = LinearScale.Over(Points.Select(point => point.LossNats), PlotBottom, PlotTop, 0.06);
        var rate = LinearScale.Over(Points.Select(point => point.LearningRate).Append(0), PlotBottom, PlotTop, 0.06);
        StepShapes.DrawBands(canvas, Bands, across, PlotTop, PlotBottom);
        DrawAxes(canvas, across, loss, rate);
        foreach (var segment in StepShapes.ByStage(Points, Bands, point => point.Step))
        {
            canvas.Path(StepShapes.Thin(segment.Select(point => (point.Step, point.LearningRate)), across, rate), "rate");
            canvas.Path(StepShapes.Thin(segment.Select(point => (point.Step, point.LossNats)), across, loss), "raw");
            var averages = MovingAverage(segment.Select(point => point.LossNats).ToArray(), Smoothing);
            canvas.Path(StepShapes.Thin(segment.Select((point, index) => (point.Step, averages[index])), across, loss), "smooth");
        }

        DrawLegend(canvas);
        return canvas.Finish();
    }

    private void DrawAxes(SvgCanvas canvas, LinearScale across, LinearScale loss, LinearScale rate)
    {
        foreach (var tick in loss.Ticks(5))
        {
            canvas.Line(PlotLeft, loss.At(tick), PlotRight, loss.At(tick), "grid");
            canvas.Text(PlotLeft - 7, loss.At(tick) + 4, NumberText.Setting(tick), "minor", "end");
        }

        foreach (var tick in rate.Ticks(4).Where(tick => tick >= 0))
        {
            canvas.Text(PlotRight + 7, rate.At(tick) + 4, NumberText.Setting(tick), "rate-text");
        }

        foreach (var tick in across.Ticks(8).Where(tick => tick == Math.Floor(tick)))
        {
            canvas.Text(across.At(tick), PlotBottom + 17, NumberText.Setting(tick), "minor", "middle");
        }

        canvas.Line(PlotLeft, PlotBottom, PlotRight, PlotBottom, "axis");
        canvas.Text((PlotLeft + PlotRight) / 2, PlotBottom + 35, "step", "minor", "middle");
        canvas.Text(11, 167, "loss (nats)", "minor", "middle", turn: "rotate(-90 11 167)");
        canvas.Text(Width - 12, 167, "learning rate", "rate-text", "middle", turn: $"rotate(90 {NumberText.Coordinate(Width - 12)} 167)");
    }

    private void DrawLegend(SvgCanvas canvas)
    {
        const double Baseline = PlotBottom + 54;
        canvas.Line(PlotLeft, Baseline - 4, PlotLeft + 24, Baseline - 4, "raw");
        canvas.Text(PlotLeft + 31, Baseline, IsThinned ? "loss, lowest and highest of nearby steps" : "loss of the step's batch", "minor");
        var left = PlotLeft + (IsThinned ? 270 : 190);
        canvas.Line(left, Baseline - 4, left + 24, Baseline - 4, "smooth");
        canvas.Text(left + 31, Baseline, $"moving average ({NumberText.Setting(Smoothing)}), anew per stage", "minor");
        canvas.Line(left + 268, Baseline - 4, left + 292, Baseline - 4, "rate");
        canvas.Text(left + 299, Baseline, "learning rate", "rate-text");
    }

    private string Describe()
    {
        var sentences = Bands.Take(40).Select(band =>
        {
            var points = Points.Where(point => point.Step >= band.FirstStep && point.Step <= band.LastStep).ToArray();
            return points.Length == 0
                ? $"{band.Stage}: no steps."
                : $"{band.Stage}: loss {NumberText.Value(points[0].LossNats)} to {NumberText.Value(points[^1].LossNats)} nats "
                    + $"in steps {NumberText.Count(band.FirstStep)} to {NumberText.Count(band.LastStep)}.";
        });
        return string.Join(' ', sentences);
    }
}

/// <summary>One optimizer step on a <see cref="LossChart"/>; steps count from 1, through the run.</summary>
internal sealed record LossPoint(int Step, double LossNats, double LearningRate);
