using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// Loss per step as logged and as an exponential moving average that starts anew with every stage, over shaded and labelled stages,
/// with the learning rate on an axis of its own. Steps and bands are in step order. Long runs are thinned: of the steps that share a place,
/// the lowest and the highest loss are drawn.
/// </summary>
internal sealed record LossChart(string Id, IReadOnlyList<StepRecord> Steps, IReadOnlyList<StageBand> Bands)
{
    private const double Smoothing = 0.8;
    private const double PlotLeft = 56;
    private const double PlotBottom = 290;

    /// <summary>Whether the raw line leaves steps out.</summary>
    public bool IsThinned => Steps.Count > 2 * StepPlot.Places;

    /// <summary>
    /// <c>a_k = s a_(k-1) + (1 - s) x_k</c>, divided by <c>1 - s^k</c>; a value that is not finite is passed over and keeps the average.
    /// </summary>
    public static IEnumerable<double> MovingAverage(IEnumerable<double> values, double smoothing)
    {
        var (sum, weight) = (0.0, 0.0);
        foreach (var value in values)
        {
            if (double.IsFinite(value))
            {
                sum = (smoothing * sum) + ((1 - smoothing) * value);
                weight = (smoothing * weight) + (1 - smoothing);
            }

            yield return weight > 0 ? sum / weight : double.NaN;
        }
    }

    public string Render()
    {
        var canvas = new SvgCanvas(Id, StepPlot.Width, 350, "Training loss per step", Describe());
        var across = LinearScale.Over(Steps.Select(step => (double)step.Step), PlotLeft, StepPlot.Right, 0.01);
        var plot = new StepPlot(canvas, across, PlotBottom, Bands);
        var loss = LinearScale.Over(Steps.Select(step => step.LossNats), PlotBottom, StepPlot.Top, 0.06);
        var rate = plot.RateScale(Steps);
        plot.DrawBands();
        plot.DrawValueTicks(loss, 5);
        plot.DrawRateTicks(rate);
        plot.DrawStepTicks();
        canvas.Line(PlotLeft, PlotBottom, StepPlot.Right, PlotBottom, "axis");
        plot.DrawTitles("loss (nats)");
        plot.DrawRateTitle();
        foreach (var stage in plot.ByStage(Steps))
        {
            plot.DrawLine(stage.Select(step => (step.Step, step.LearningRate)), rate, "rate");
            plot.DrawLine(stage.Select(step => (step.Step, step.LossNats)), loss, "raw");
            var averages = MovingAverage(stage.Select(step => step.LossNats), Smoothing);
            plot.DrawLine(stage.Select(step => step.Step).Zip(averages), loss, "smooth");
        }

        const double Baseline = PlotBottom + 54;
        plot.DrawSample(PlotLeft, Baseline, "raw", IsThinned ? "loss, lowest and highest of nearby steps" : "loss of the step's batch");
        var left = PlotLeft + (IsThinned ? 270 : 190);
        plot.DrawSample(left, Baseline, "smooth", $"moving average ({NumberText.Setting(Smoothing)}), anew per stage");
        plot.DrawSample(left + 268, Baseline, "rate", "learning rate", "rate-text");
        return canvas.Finish();
    }

    private string Describe() => string.Join(' ', Bands.Take(40).Select(band =>
    {
        var steps = Steps.Where(step => band.Holds(step.Step)).ToArray();
        return steps.Length == 0
            ? $"{band.Stage}: no steps."
            : $"{band.Stage}: loss {NumberText.Value(steps[0].LossNats)} to {NumberText.Value(steps[^1].LossNats)} nats "
                + $"in steps {NumberText.Count(band.FirstStep)} to {NumberText.Count(band.LastStep)}.";
    }));
}
