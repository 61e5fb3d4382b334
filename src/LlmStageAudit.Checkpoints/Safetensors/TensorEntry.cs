namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>Where one tensor lies in a safetensors file.</summary>
/// <param name="Name">Key in the header.</param>
/// <param name="Dtype">Element type on disk.</param>
/// <param name="Shape">Sizes, row-major; empty for a scalar.</param>
/// <param name="OffsetBytes">Position of the first element from the start of the file.</param>
/// <param name="SizeBytes">Product of the shape times the element size.</param>
public sealed record TensorEntry(string Name, SafetensorsDtype Dtype, IReadOnlyList<long> Shape, long OffsetBytes, long SizeBytes)
{
    /// <summary>
    /// Product of the shape; 1 for a scalar. Counted by bytes: before a size of zero others may multiply beyond any count.
    /// </summary>
    public long ElementCount => (long)((Int128)SizeBytes * 8 / Dtype.SizeBits());
}
