namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// What every libtorch must get right before anything is computed with it: shapes, strides, numbers out, a product and its gradient, bytes
/// there and back. A version whose tensors are laid out otherwise than the bridge thinks loads without complaint and fails here.
/// </summary>
internal static class EngineCheck
{
    /// <summary>Computes a few things whose answers are known.</summary>
    /// <exception cref="EngineException">An answer is wrong.</exception>
    public static void Run(string folder)
    {
        using var scope = NewDisposeScope();
        using var on = enable_grad();
        float[] rows = [1, 2, 3, 4, 5, 6];
        var left = TensorMemory.Of<float>(rows, [2, 3]);
        Expect(folder, "the bytes of a tensor", left.ToArray<float>(), rows);
        Expect(folder, "its shape", left.shape, [2, 3]);
        Expect(folder, "the strides of its transpose", left.t().stride(), [1, 3]);
        Expect(folder, "its transpose", left.t().ToArray<float>(), [1, 4, 2, 5, 3, 6]);
        Expect(folder, "its sum", [left.sum().item<float>()], [21f]);
        var leaf = left.detach().requires_grad_();
        var product = leaf.mm(left.t());
        Expect(folder, "a product", product.ToArray<float>(), [14, 32, 32, 77]);
        Expect(folder, "its gradient", Gradients.Of([product.sum()], [leaf])[0].ToArray<float>(), [5, 7, 9, 5, 7, 9]);
    }

    private static void Expect<T>(string folder, string what, IReadOnlyList<T> found, T[] expected)
    {
        if (found.SequenceEqual(expected)) return;
        throw EngineException.At(
            folder, $"this libtorch fails the check at its start: {what} is {Text(found)}", Text(expected),
            "use the libtorch that came with this program (unset LIBTORCH)");
    }

    private static string Text<T>(IEnumerable<T> values) => string.Join(' ', values.Select(value => FormattableString.Invariant($"{value}")));
}
