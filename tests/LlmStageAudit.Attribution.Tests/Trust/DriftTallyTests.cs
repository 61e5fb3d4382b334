using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Attribution.Tests.Trust;

public sealed class DriftTallyTests
{
    [Fact]
    public void Drifts_that_repeat_count_as_often_as_the_steps_they_speak_for()
    {
        using var tally = Tally(independent: false);
        Vectors.Close([3 * 0.1, 5 * 0.02, (3 * 0.2) - (5 * 0.1)], tally.Error!.ToArray<double>(), 1e-15);
        Assert.Equal(2, tally.Checks);
        Assert.Equal((0.5 + 0.3) / 2, tally.GradientMismatch, 1e-15);
        Assert.Equal(4 / 2.5, tally.Growth, 1e-15);
    }

    [Fact]
    public void Independent_drifts_grow_with_the_root_of_the_steps()
    {
        using var tally = Tally(independent: true);
        var (three, five) = (Math.Sqrt(3), Math.Sqrt(5));
        Vectors.Close([three * 0.1, five * 0.02, (three * 0.2) - (five * 0.1)], tally.Error!.ToArray<double>(), 1e-15);
    }

    [Fact]
    public void Without_checks_nothing_is_foretold()
    {
        using var tally = new DriftTally(independent: false, movingSteps: 0);
        Assert.Null(tally.Error);
        Assert.Equal((0, 0, 0), (tally.Checks, tally.GradientMismatch, tally.Growth));
    }

    [Fact]
    public void Errors_are_told_relative_to_what_was_estimated()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0.5, PredictedRelativeError.OfParameters(TensorMemory.Of([3.0, 0]), TensorMemory.Of([0, 6.0])));
        Assert.Equal(0.25, PredictedRelativeError.OfEffects([0, -1], [4, 0]));
        Assert.Equal(0, PredictedRelativeError.OfEffects([0], [0]));
        Assert.Equal(double.PositiveInfinity, PredictedRelativeError.OfEffects([1], [0]));
    }

    private static DriftTally Tally(bool independent)
    {
        using var scope = NewDisposeScope();
        var tally = new DriftTally(independent, movingSteps: 8);
        tally.Add(new CheckWeight(3, Math.Sqrt(3)), TensorMemory.Of([0.1, 0, 0.2]), mismatch: 0.5, length: 2.5);
        tally.Add(new CheckWeight(5, Math.Sqrt(5)), TensorMemory.Of([0, 0.02, -0.1]), mismatch: 0.3, length: 4);
        return tally;
    }
}
