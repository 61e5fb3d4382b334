using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution;

/// <summary>Whether the logged gradients lead to the states the run saved.</summary>
internal static class Reproduction
{
    /// <summary>A rebuilt stage end further off than this is not rounding.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>Compares the rebuilt parameters [N] at the end of a stage with the saved ones.</summary>
    /// <exception cref="AttributionException">They do not.</exception>
    public static void Check(ITrajectory trajectory, int stageIndex, Tensor end)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var saved = trajectory.StateBefore(stageIndex + 1);
        var scale = saved.norm().ToNumber();
        var difference = (end - saved).norm().ToNumber() / (scale == 0 ? 1 : scale);
        if (!(difference <= Tolerance)) throw AttributionException.NotReproduced(trajectory.Programs[stageIndex].Name, difference);
    }
}
