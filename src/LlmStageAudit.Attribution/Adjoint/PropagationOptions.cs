namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>How perturbations are carried through the steps of a run.</summary>
public sealed record PropagationOptions
{
    /// <summary>The curvature's share of each batch, in (0, 1].</summary>
    public double Rho { get; init; } = 1;

    /// <summary>Of the shares.</summary>
    public long Seed { get; init; }

    /// <summary>The least eps of AdamW's Jacobian; see <see cref="Training.Optimizers.OptimizerMap.Linearize"/>.</summary>
    public double EpsilonFloor { get; init; }

    /// <summary>Steps between kept states; null for the square root of a stage's steps.</summary>
    public int? CheckpointInterval { get; init; }
}
