using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// Vector-Jacobian products. TorchSharp's <c>autograd.grad</c> runs outside any guard, so that an error in it, such as memory that ran out,
/// ends the process; its <c>backward</c> throws, but leaves what it finds at the inputs, where a later one adds to it. Here products are
/// found by the second and taken from the inputs at once.
/// </summary>
public static class Gradients
{
    private static readonly Lazy<bool> s_isWarned = new(Warn);

    /// <summary>d(sum_k outputs_k . vectors_k) / d inputs; zeros for an input that takes no part.</summary>
    /// <param name="outputs">Computed from the inputs; at least one requires gradients.</param>
    /// <param name="inputs">Leaves that require gradients; their <c>grad</c> is empty before and after.</param>
    /// <param name="vectors">Of the outputs' shapes; null for outputs of one element each, times one.</param>
    /// <param name="retainGraph">Whether the outputs' graph is kept for another call.</param>
    /// <param name="createGraph">Whether the products can be differentiated in turn; the outputs' graph is then kept.</param>
    /// <returns>Of the inputs' shapes, in the current dispose scope.</returns>
    /// <exception cref="EngineException">The request cannot be answered.</exception>
    /// <exception cref="ExternalException">libtorch found an error on the way.</exception>
    public static Tensor[] Of(
        IReadOnlyList<Tensor> outputs,
        IReadOnlyList<Tensor> inputs,
        IReadOnlyList<Tensor>? vectors = null,
        bool retainGraph = false,
        bool createGraph = false)
    {
        if (Fault(outputs, inputs, vectors) is (var found, var expected)) throw EngineException.At("gradients", found, expected);
        if (createGraph) _ = s_isWarned.Value;
        // What requires no gradients adds nothing, and libtorch refuses to hear of it.
        var taking = Enumerable.Range(0, outputs.Count).Where(i => outputs[i].requires_grad).ToList();
        var kept = retainGraph || createGraph;
        try
        {
            Tensor[]? taken = vectors is null ? null : [.. taking.Select(i => vectors[i])];
            autograd.backward([.. taking.Select(i => outputs[i])], taken, kept, createGraph, [.. inputs]);
            return [.. inputs.Select(input => input.grad ?? input.zeros_like())];
        }
        finally
        {
            // A gradient with a graph and the input it lies at would keep each other alive.
            foreach (var input in inputs) input.grad = null;
        }
    }

    private static (string Found, string Expected)? Fault(
        IReadOnlyList<Tensor> outputs, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor>? vectors)
    {
        // Without any, libtorch would leave gradients at all leaves there are.
        if (inputs.Count == 0) return ("no inputs", "one or more");
        if (!outputs.Any(output => output.requires_grad))
            return ("no output requires gradients", "at least one that was computed from the inputs");
        foreach (var input in inputs)
        {
            if (!input.is_leaf || !input.requires_grad)
                return ($"an input {Shapes.Of(input)} that is no leaf or requires no gradients", "leaves that do");
            using var earlier = input.grad;
            if (earlier is not null) return ($"an input {Shapes.Of(input)} with a gradient of before", "none, as it would be added to");
        }

        if (vectors is not null && vectors.Count != outputs.Count)
            return ($"{vectors.Count} vectors for {outputs.Count} outputs", "one each");
        for (var i = 0; i < outputs.Count; i++)
        {
            var expected = Shapes.Of(outputs[i]);
            if (vectors is null && outputs[i].numel() != 1)
                return ($"an output {expected} without a vector", "one element, or a vector of its shape");
            if (vectors is not null && Shapes.Of(vectors[i]) != expected)
                return ($"a vector {Shapes.Of(vectors[i])} for an output {expected}", "the same");
        }

        return null;
    }

    /// <summary>libtorch warns once of what the call above looks after, a gradient with a graph that stays at its input.</summary>
    private static bool Warn()
    {
        using var scope = NewDisposeScope();
        using var on = enable_grad();
        var leaf = ones([1]).requires_grad_();
        TorchWarnings.Without(() => autograd.backward([leaf * leaf], null, true, create_graph: true, [leaf]));
        leaf.grad = null;
        return true;
    }
}
