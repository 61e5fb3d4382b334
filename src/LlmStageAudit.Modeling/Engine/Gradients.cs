using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// Vector-Jacobian products. TorchSharp's <c>autograd.grad</c> runs outside any guard, so that an error in it ends the process, and gives
/// tensors without a handle for inputs that take no part. Here products without a graph go through the guarded <c>backward</c>, and those
/// with one are asked for only after everything that could be wrong with the request was looked at.
/// </summary>
public static unsafe partial class Gradients
{
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
        Require(outputs, inputs, vectors);
        var found = createGraph ? Recorded(outputs, inputs, vectors) : Plain(outputs, inputs, vectors, retainGraph);
        return [.. found.Select((gradient, i) => gradient ?? inputs[i].zeros_like())];
    }

    private static Tensor?[] Plain(IReadOnlyList<Tensor> outputs, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor>? vectors, bool retainGraph)
    {
        try
        {
            autograd.backward([.. outputs], vectors is null ? null : [.. vectors], retainGraph, create_graph: false, [.. inputs]);
            return [.. inputs.Select(input => input.grad)];
        }
        finally
        {
            foreach (var input in inputs) input.grad = null;
        }
    }

    private static Tensor?[] Recorded(IReadOnlyList<Tensor> outputs, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor>? vectors)
    {
        var results = new nint[inputs.Count];
        fixed (nint* outs = Handles(outputs), ins = Handles(inputs), given = Handles(vectors ?? []), found = results)
        {
            t_results = (nint)found;
            Grad(
                (nint)outs, outputs.Count, (nint)ins, inputs.Count, (nint)given, vectors?.Count ?? 0,
                retainGraph: true, createGraph: true, allowUnused: true, &Results);
        }

        GC.KeepAlive(outputs);
        GC.KeepAlive(inputs);
        GC.KeepAlive(vectors);
        return [.. results.Select(handle => handle == 0 ? null : Tensor.UnsafeCreateTensor(handle))];
    }

    private static void Require(IReadOnlyList<Tensor> outputs, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor>? vectors)
    {
        const string operation = "gradients";
        if (!outputs.Any(output => output.requires_grad))
            throw EngineException.WrongShapes(operation, "no output requires gradients", "at least one that was computed from the inputs");
        if (inputs.FirstOrDefault(input => !input.is_leaf || !input.requires_grad) is { } wrong)
            throw EngineException.WrongShapes(operation, $"an input {Shapes.Of(wrong)} that is no leaf or requires no gradients", "leaves that do");
        if (vectors is not null && vectors.Count != outputs.Count)
            throw EngineException.WrongShapes(operation, $"{vectors.Count} vectors for {outputs.Count} outputs", "one each");
        for (var i = 0; i < outputs.Count; i++)
        {
            var expected = Shapes.Of(outputs[i]);
            if (vectors is null && outputs[i].numel() != 1)
                throw EngineException.WrongShapes(operation, $"an output {expected} without a vector", "one element, or a vector of its shape");
            if (vectors is not null && Shapes.Of(vectors[i]) != expected)
                throw EngineException.WrongShapes(operation, $"a vector {Shapes.Of(vectors[i])} for an output {expected}", "the same");
        }
    }

    private static nint[] Handles(IReadOnlyList<Tensor> tensors) => [.. tensors.Select(tensor => tensor.Handle)];

    [ThreadStatic]
    private static nint t_results;

    [UnmanagedCallersOnly]
    private static nint Results(nuint length) => t_results;

    [LibraryImport(EngineLibraries.Bridge, EntryPoint = "THSAutograd_grad")]
    private static partial void Grad(
        nint outputs, long outputCount, nint inputs, long inputCount, nint vectors, long vectorCount,
        [MarshalAs(UnmanagedType.U1)] bool retainGraph, [MarshalAs(UnmanagedType.U1)] bool createGraph,
        [MarshalAs(UnmanagedType.U1)] bool allowUnused, delegate* unmanaged<nuint, nint> allocate);
}
