namespace LlmStageAudit.LibTorch;

public static unsafe partial class torch
{
    public static class autograd
    {
        /// <summary>
        /// The vector-Jacobian products of the outputs with respect to the inputs.
        /// </summary>
        /// <param name="outputs">Scalars, or any shapes with grad_outputs of the same shapes.</param>
        /// <param name="inputs">Leaves or intermediate results that require gradients.</param>
        /// <param name="grad_outputs">The vectors; null for scalar outputs (ones).</param>
        /// <param name="retain_graph">Keep the graph for another call.</param>
        /// <param name="create_graph">Record the products themselves, for second derivatives.</param>
        /// <param name="allow_unused">Return null, rather than fail, for inputs that take no part.</param>
        /// <exception cref="TorchException">An input takes no part, or an operator has no derivative.</exception>
        public static Tensor?[] grad(
            IReadOnlyList<Tensor> outputs,
            IReadOnlyList<Tensor> inputs,
            IReadOnlyList<Tensor>? grad_outputs = null,
            bool retain_graph = false,
            bool create_graph = false,
            bool allow_unused = false)
        {
            var outputHandles = Handles(outputs);
            var inputHandles = Handles(inputs);
            var vectorHandles = grad_outputs is null ? null : Handles(grad_outputs);
            var results = new nint[inputs.Count];
            int status;
            fixed (nint* o = outputHandles, i = inputHandles, v = vectorHandles, r = results)
            {
                status = Native.Grad(
                    o, outputHandles.Length, i, inputHandles.Length, v,
                    retain_graph || create_graph ? 1 : 0, create_graph ? 1 : 0, allow_unused ? 1 : 0, r);
            }

            GC.KeepAlive(outputs);
            GC.KeepAlive(inputs);
            GC.KeepAlive(grad_outputs);
            if (status < 0)
                throw TorchException.FromNative(
                    "autograd.grad", string.Join(", ", outputs.Concat(inputs).Take(8).Select(tensor => tensor.Description)));
            return Array.ConvertAll(results, handle => handle == 0 ? null : new Tensor(handle));
        }

        private static nint[] Handles(IReadOnlyList<Tensor> tensors) => tensors.Select(tensor => tensor.Handle).ToArray();
    }
}
