namespace LlmStageAudit.Modeling.Engine;

/// <summary>Matrix products over leading dimensions. TorchSharp's <c>matmul</c> ends the process where shapes do not fit; <c>bmm</c> throws.</summary>
internal static class BatchProduct
{
    /// <summary>[.., N, M] times [.., M, P] with the same leading dimensions: [.., N, P].</summary>
    /// <exception cref="System.Runtime.InteropServices.ExternalException">The shapes do not fit.</exception>
    public static Tensor batched_mm(this Tensor left, Tensor right)
    {
        var (from, with) = (left.shape, right.shape);
        return left.reshape(-1, from[^2], from[^1]).bmm(right.reshape(-1, with[^2], with[^1])).view([.. from[..^1], with[^1]]);
    }
}
