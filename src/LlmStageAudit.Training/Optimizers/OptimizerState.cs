namespace LlmStageAudit.Training.Optimizers;

/// <summary>s_t = (theta_t, optimizer buffers): what an optimizer map takes and gives. Owns its tensors.</summary>
/// <param name="theta">The trainable parameters [N].</param>
/// <param name="buffers">The optimizer's buffers, each [N]: v for SGD; m, u for AdamW.</param>
/// <param name="steps">Updates made in this job: k of AdamW's bias correction.</param>
public sealed class OptimizerState(Tensor theta, IReadOnlyList<Tensor> buffers, int steps) : IDisposable
{
    /// <summary>The trainable parameters [N]; the state's own.</summary>
    public Tensor Theta => theta;

    /// <summary>Each [N]: v for SGD; m, u for AdamW. The state's own.</summary>
    public IReadOnlyList<Tensor> Buffers => buffers;

    /// <summary>Updates made in this job.</summary>
    public int Steps => steps;

    /// <summary>A copy that no dispose scope owns: its holder disposes it.</summary>
    public OptimizerState Clone()
    {
        using var scope = NewDisposeScope();
        return new OptimizerState(scope.Detach(theta.clone()), [.. buffers.Select(buffer => scope.Detach(buffer.clone()))], steps);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        theta.Dispose();
        foreach (var buffer in buffers) buffer.Dispose();
    }
}
