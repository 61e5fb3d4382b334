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
    public ReadOnlySpan<byte> At(long offset, int count, long strideBytes)
    {
        if (offset < _start || offset + count > _start + _length) Move(offset, count, strideBytes);
        return _bytes.AsSpan((int)(offset - _start), count);
    }

    private void Move(long offset, int count, long strideBytes)
    {
        var wanted = Math.Max(count, strideBytes > Large / 4 ? Small : Large);
        if (wanted > _bytes.Length) _bytes = new byte[wanted];
        (_start, _length) = (offset, 0);
        while (_length < count)
        {
            var read = RandomAccess.Read(file, _bytes.AsSpan(_length, wanted - _length), offset + _length);
            if (read == 0) throw new EndOfStreamException($"the file ends before byte {offset + count}");
            _length += read;
        }
    }
}
