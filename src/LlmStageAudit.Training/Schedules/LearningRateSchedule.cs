using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Training.Schedules;

/// <summary>
/// The learning rate of step i = 0 .. K - 1 of a job with W warm-up steps, as Hugging Face's schedules give it:
/// <code>
/// i &lt; W:     lr i / W                     (the first warm-up step has rate 0)
/// constant:  lr
/// linear:    lr (K - i) / (K - W)
/// cosine:    lr (1 + cos(pi (i - W) / (K - W))) / 2
/// </code>
/// </summary>
internal static class LearningRateSchedule
{
    /// <summary>The rates of a whole job.</summary>
    /// <param name="section">W is its warm-up steps, else its ratio times K, rounded up.</param>
    /// <param name="peak">lr.</param>
    /// <param name="steps">K.</param>
    public static double[] Of(ScheduleSection section, double peak, int steps)
    {
        var warmup = section.WarmupSteps ?? (int)Math.Ceiling(section.WarmupRatio * steps);
        return [.. Enumerable.Range(0, steps)
            .Select(i => i < warmup ? peak * i / warmup : peak * Decay(section.Name, i - warmup, steps - warmup))];
    }

    private static double Decay(ScheduleName name, int step, int steps) => name switch
    {
        ScheduleName.Constant => 1,
        ScheduleName.Linear => (double)(steps - step) / steps,
        ScheduleName.Cosine => 0.5 * (1 + Math.Cos(Math.PI * step / steps)),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such schedule"),
    };
}
