using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>
/// The layout of a stage's trajectory log, spelled here only. All integers are little-endian.
/// <code>
/// preamble, 16 bytes:  "SATRAJ01"  u32 version = 1  u32 zero
/// frame, per step:     u32 magic 0x53544550   u32 header length   u64 payload length      (the 16 framing bytes)
///                      header:  the step record as UTF-8 JSON on one line
///                      payload: the raw gradient, float32, as many values as the run has parameters; or nothing
///                      hash, 32 bytes: SHA-256(previous hash || framing bytes || header || payload)
/// </code>
/// The hash before the first frame is SHA-256 of the genesis text, which ties the log to its run and stage. So no frame can
/// be changed, moved, left out or brought in from another log without every later hash failing. All frames of a log have
/// payloads of one length; steps only grow.
/// </summary>
internal static class TrajectoryFrame
{
    public const int PreambleBytes = 16;
    public const int FramingBytes = 16;
    public const int HashBytes = 32;
    public const int MaximumHeaderBytes = 16 << 20;

    /// <summary>What one span can hold, in whole floats.</summary>
    public const long MaximumPayloadBytes = int.MaxValue - 3;

    public const uint Magic = 0x53544550;

    // The version follows the magic.
    public static ReadOnlySpan<byte> Preamble => "SATRAJ01\u0001\0\0\0\0\0\0\0"u8;

    /// <summary>What a frame begins with.</summary>
    public static ReadOnlySpan<byte> MagicBytes => "PETS"u8;

    public static byte[] GenesisHash(string genesis) => SHA256.HashData(Encoding.UTF8.GetBytes(genesis));

    public static void WriteFraming(Span<byte> framing, int headerBytes, int payloadBytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(framing, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(framing[4..], (uint)headerBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(framing[8..], (ulong)payloadBytes);
    }

    /// <summary>Reads a frame's first 16 bytes and checks that lengths are within their limits.</summary>
    /// <returns>The fault, or null and the lengths.</returns>
    public static string? ReadFraming(ReadOnlySpan<byte> framing, out int headerBytes, out int payloadBytes)
    {
        headerBytes = payloadBytes = 0;
        if (BinaryPrimitives.ReadUInt32LittleEndian(framing) != Magic) return "no record starts here";
        var header = BinaryPrimitives.ReadUInt32LittleEndian(framing[4..]);
        var payload = BinaryPrimitives.ReadUInt64LittleEndian(framing[8..]);
        if (header is 0 or > MaximumHeaderBytes) return $"a header of {header} bytes";
        if (payload > MaximumPayloadBytes || payload % sizeof(float) != 0) return $"a gradient of {payload} bytes";
        headerBytes = (int)header;
        payloadBytes = (int)payload;
        return null;
    }
}

/// <summary>Where a frame lies in its log.</summary>
internal readonly record struct FramePlace(long Offset, int HeaderBytes, int PayloadBytes)
{
    public long HeaderOffset => Offset + TrajectoryFrame.FramingBytes;

    public long PayloadOffset => HeaderOffset + HeaderBytes;

    public long HashOffset => PayloadOffset + PayloadBytes;

    public long End => HashOffset + TrajectoryFrame.HashBytes;
}

/// <summary>What a log's hash chain begins with: it ties the log to its run and stage.</summary>
public static class TrajectoryGenesis
{
    /// <summary>The genesis text of a stage's log.</summary>
    public static string Of(string runId, string stage) => $"{runId}/{stage}";
}

/// <summary>How large a log will be, before it is written.</summary>
public static class TrajectoryLogSize
{
    /// <summary>The bytes of a log of these records; exact where the records are.</summary>
    /// <param name="records">The steps, in order; batch ids decide the length of their headers.</param>
    /// <param name="gradientBytes">Of each record's gradient: four per parameter, or 0.</param>
    public static long Of(IEnumerable<StepRecord> records, long gradientBytes) => TrajectoryFrame.PreambleBytes + records.Sum(record =>
        TrajectoryFrame.FramingBytes + StepHeader.Of(record).Length + gradientBytes + TrajectoryFrame.HashBytes);
}
