namespace LlmStageAudit.Training.Optimizers;

/// <summary>
/// A direction in the space of optimizer states, or a linear function on it: one block per part of
/// <see cref="OptimizerState"/>, the step counter k included. Owns its tensors.
/// </summary>
/// <param name="theta">The block of the trainable parameters [N].</param>
/// <param name="buffers">The blocks of the optimizer's buffers, each [N].</param>
/// <param name="steps">The component of k.</param>
public sealed class StatePerturbation(Tensor theta, IReadOnlyList<Tensor> buffers, double steps) : IDisposable
{
    /// <summary>The block of the trainable parameters [N]; the perturbation's own.</summary>
    public Tensor Theta => theta;

    /// <summary>The blocks of the optimizer's buffers, each [N]; the perturbation's own.</summary>
    public IReadOnlyList<Tensor> Buffers => buffers;

    /// <summary>The component of the step counter k.</summary>
    public double Steps => steps;

    /// <summary>The pairing of a linear function with a direction: the sum over all blocks.</summary>
    public double Dot(StatePerturbation other)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var ofBuffers = buffers.Zip(other.Buffers, (one, two) => one.dot(two).ToNumber()).Sum();
        return theta.dot(other.Theta).ToNumber() + ofBuffers + (steps * other.Steps);
    }

    /// <summary>The sum, in the current dispose scope.</summary>
    public StatePerturbation Plus(StatePerturbation other)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return new StatePerturbation(
            scope.MoveToOuter(theta.plus(other.Theta)),
            [.. buffers.Zip(other.Buffers, (one, two) => scope.MoveToOuter(one.plus(two)))],
            steps + other.Steps);
    }

    /// <summary>A copy, in the current dispose scope.</summary>
    public StatePerturbation Clone() => new(theta.clone(), [.. buffers.Select(buffer => buffer.clone())], steps);

    /// <summary>Takes it out of the scope it was made in: from now on its holder disposes it.</summary>
    public StatePerturbation DetachFrom(DisposeScope scope)
    {
        scope.Detach(theta);
        foreach (var buffer in buffers) scope.Detach(buffer);
        return this;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        theta.Dispose();
        foreach (var buffer in buffers) buffer.Dispose();
    }
}
