namespace LlmStageAudit.Training.Optimizers;

/// <summary>s_t = (theta_t, optimizer buffers): what an optimizer map takes and gives. Owns its tensors.</summary>
/// <param name="theta">The trainable parameters [N].</param>
/// <param name="buffers">The optimizer's buffers, each [N]: v for SGD; m, u for AdamW.</param>
/// <param name="steps">Updates made in this job: k of AdamW's bias correction.</param>
public sealed class OptimizerState(Tensor theta, IReadOnlyList<Tensor> buffers, int steps) : IDisposable
{
    public Tensor Theta => theta;

    public IReadOnlyList<Tensor> Buffers => buffers;

    public int Steps => steps;

    public OptimizerState Clone()
    {
        using var scope = NewDisposeScope();
        return new OptimizerState(scope.Detach(theta.clone()), [.. buffers.Select(buffer => scope.Detach(buffer.clone()))], steps);
    }

    public void Dispose()
    {
        theta.Dispose();
        foreach (var buffer in buffers) buffer.Dispose();
    }
}
