using Microsoft.Win32.SafeHandles;

namespace LlmStageAudit.Records.Trajectories;

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

    /// <summary>Where the frame at a place ends, be it beyond the file.</summary>
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
