using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

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

/// <summary>
/// A piece of a file in memory that moves to where it is asked for. Small frames are read many at a time; of large ones, whose
/// gradients are not wanted, little more than the bytes asked for is read.
/// </summary>
internal sealed class FrameWindow(SafeFileHandle file)
{
    // Below what the large object heap takes, whose garbage stays until everything is collected.
    private const int Large = 1 << 16;
    private const int Small = 1 << 12;

    private byte[] _bytes = new byte[Large];
    private long _start;
    private int _length;

    /// <summary>The bytes at a place, valid until the next call.</summary>
    /// <param name="offset">From the file's start, in bytes.</param>
    /// <param name="count">How many bytes.</param>
    /// <param name="strideBytes">How far apart such places lie in this file.</param>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public ReadOnlySpan<byte> At(long offset, int count, long strideBytes = 0)
    {
        if (offset < _start || offset + count > _start + _length)
        {
            var wanted = Math.Max(count, strideBytes > Large / 4 ? Small : Large);
            if (wanted > _bytes.Length) _bytes = new byte[wanted];
            (_start, _length) = (offset, 0);
            _length = Read(_bytes.AsSpan(0, wanted), count, offset);
        }

        return _bytes.AsSpan((int)(offset - _start), count);
    }

    /// <summary>Whether the file begins as a log does.</summary>
    public bool HasPreamble(long fileBytes) => fileBytes >= TrajectoryFrame.PreambleBytes
        && At(0, TrajectoryFrame.PreambleBytes).SequenceEqual(TrajectoryFrame.Preamble);

    /// <summary>Where the parts of the frame at a place lie, be it beyond the file's end.</summary>
    /// <param name="offset">Where it begins; its 16 framing bytes must be there.</param>
    /// <param name="gradientBytes">Of every frame before; null: this is the first.</param>
    /// <param name="place">Meaningless after a fault.</param>
    /// <returns>The fault, or null and the place.</returns>
    public string? FrameAt(long offset, int? gradientBytes, out FramePlace place)
    {
        var framing = At(offset, TrajectoryFrame.FramingBytes, gradientBytes ?? 0);
        var fault = TrajectoryFrame.ReadFraming(framing, out var headerBytes, out var payloadBytes);
        place = new FramePlace(offset, headerBytes, payloadBytes);
        return fault is null && payloadBytes != (gradientBytes ?? payloadBytes)
            ? $"a gradient of {payloadBytes} bytes after one of {gradientBytes} bytes"
            : fault;
    }

    /// <summary>Reads past the window.</summary>
    /// <returns>How many bytes, at least those asked for.</returns>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public int Read(Span<byte> bytes, int atLeast, long offset)
    {
        var length = 0;
        while (length < atLeast)
        {
            var read = RandomAccess.Read(file, bytes[length..], offset + length);
            if (read == 0) throw new EndOfStreamException($"the file ends before byte {offset + atLeast}");
            length += read;
        }

        return length;
    }
}
