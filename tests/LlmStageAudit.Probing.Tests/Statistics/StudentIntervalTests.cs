using LlmStageAudit.Probing.Statistics;

namespace LlmStageAudit.Probing.Tests.Statistics;

/// <summary>Against the closed forms of Student's t with 1 and 2 degrees of freedom.</summary>
public sealed class StudentIntervalTests
{
    [Fact]
    public void Two_values_have_the_tails_of_a_Cauchy_distribution()
    {
        // t = 3 / 1 = 3 with one degree of freedom: p = 1 - 2 atan(3) / pi; the quantile is tan(0.475 pi).
        var student = StudentInterval.Of([2, 4]);
        Assert.Equal(3, student.Mean);
        Assert.Equal(2, student.Variance);
        Assert.Equal(1 - (2 * Math.Atan(3) / Math.PI), student.PValue, 1e-9);
        Assert.Equal(Math.Tan(0.475 * Math.PI), student.HalfWidth, 1e-6);
    }

    [Fact]
    public void Three_values_have_the_closed_form_of_two_degrees_of_freedom()
    {
        // t^2 = 7, p = 1 - t / sqrt(2 + t^2); the quantile at u = 2 q - 1 is u sqrt(2 / (1 - u^2)).
        var student = StudentInterval.Of([1, 2, 4]);
        Assert.Equal(1 - (Math.Sqrt(7) / 3), student.PValue, 1e-9);
        Assert.Equal(0.95 * Math.Sqrt(2 / (1 - (0.95 * 0.95))) * Math.Sqrt(7.0 / 9), student.HalfWidth, 1e-6);
        Assert.Equal(student.PValue, StudentInterval.Of([-1, -2, -4]).PValue, 1e-12);
    }

    [Fact]
    public void Values_that_do_not_differ_tell_nothing_of_others()
    {
        var student = StudentInterval.Of([2, 2, 2]);
        Assert.Equal((2, 0, 1), (student.Mean, student.Variance, student.PValue));
        Assert.True(double.IsNaN(student.HalfWidth));
    }
}
