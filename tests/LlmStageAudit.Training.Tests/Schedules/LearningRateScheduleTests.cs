using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Schedules;

namespace LlmStageAudit.Training.Tests.Schedules;

/// <summary>
/// Rates of K = 10 steps with W = 3 of warm-up and peak 0.02, computed elsewhere from the formulas of Hugging Face's schedules.
/// </summary>
public sealed class LearningRateScheduleTests
{
    public static TheoryData<ScheduleName, double[]> Schedules => new()
    {
        { ScheduleName.Constant, [0, 0.006666666666666667, 0.013333333333333334, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02] },
        {
            ScheduleName.Linear,
            [
                0, 0.006666666666666667, 0.013333333333333334, 0.02, 0.017142857142857144, 0.014285714285714287,
                0.011428571428571429, 0.008571428571428572, 0.005714285714285714, 0.002857142857142857,
            ]
        },
        {
            ScheduleName.Cosine,
            [
                0, 0.006666666666666667, 0.013333333333333334, 0.02, 0.01900968867902419, 0.016234898018587338,
                0.012225209339563144, 0.007774790660436856, 0.0037651019814126654, 0.0009903113209758097,
            ]
        },
    };

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Rates_with_warm_up(ScheduleName name, double[] expected)
    {
        var section = new ScheduleSection { Name = name, WarmupSteps = 3 };
        Assert.Equal(expected, LearningRateSchedule.Of(section, 0.02, 10), (a, b) => Math.Abs(a - b) < 1e-16);
        // A ratio is rounded up: 0.21 of 10 steps are 3.
        Assert.Equal(
            LearningRateSchedule.Of(section, 0.02, 10), LearningRateSchedule.Of(new() { Name = name, WarmupRatio = 0.21 }, 0.02, 10));
        // Steps that are given count before a ratio.
        Assert.Equal(LearningRateSchedule.Of(section, 0.02, 10), LearningRateSchedule.Of(section with { WarmupRatio = 0.9 }, 0.02, 10));
    }

    [Fact]
    public void Without_warm_up_the_first_step_has_the_peak()
    {
        Assert.Equal([1.0, 1, 1], LearningRateSchedule.Of(new() { Name = ScheduleName.Constant }, 1, 3));
        Assert.Equal([1.0, 0.75, 0.5, 0.25], LearningRateSchedule.Of(new() { Name = ScheduleName.Linear }, 1, 4));
        Assert.Equal([1.0, 0.5], LearningRateSchedule.Of(new() { Name = ScheduleName.Cosine }, 1, 2), (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal([7.0], LearningRateSchedule.Of(new() { Name = ScheduleName.Linear }, 7, 1));
        Assert.Empty(LearningRateSchedule.Of(new() { Name = ScheduleName.Cosine }, 1, 0));
    }

    [Fact]
    public void Warm_up_may_last_as_long_as_the_job_or_longer()
    {
        Assert.Equal([0.0, 0.25, 0.5, 0.75], LearningRateSchedule.Of(new() { Name = ScheduleName.Linear, WarmupSteps = 4 }, 1, 4));
        Assert.Equal([0.0, 0.125, 0.25], LearningRateSchedule.Of(new() { Name = ScheduleName.Cosine, WarmupSteps = 8 }, 1, 3));
        Assert.Equal([0.0, 0.5], LearningRateSchedule.Of(new() { Name = ScheduleName.Linear, WarmupRatio = 1 }, 1, 2));
    }
}
