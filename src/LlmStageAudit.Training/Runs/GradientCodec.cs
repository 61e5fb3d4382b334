using System.Buffers;
using System.Runtime.InteropServices;

namespace LlmStageAudit.Training.Runs;

/// <summary>Gradients between tensors and the log's bytes: float32, little-endian.</summary>
internal static class GradientCodec
{
    /// <summary>A gradient as the log holds it.</summary>
    /// <returns>A rented array and how many of its bytes are used.</returns>
    public static (byte[] Bytes, int Length) Encode(Tensor gradient)
    {
        using var single = gradient.to(float32);
        var length = checked((int)(single.numel() * sizeof(float)));
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        single.CopyTo(MemoryMarshal.Cast<byte, float>(bytes.AsSpan(0, length)));
        return (bytes, length);
    }

    public static Tensor Decode(ReadOnlySpan<byte> bytes, ScalarType dtype, Device device)
    {
        var values = MemoryMarshal.Cast<byte, float>(bytes);
        return TensorMemory.Of(values, [values.Length]).to(dtype).to(device);
    }
}
