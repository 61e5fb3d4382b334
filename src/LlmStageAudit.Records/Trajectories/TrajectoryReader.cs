using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>
/// Reads a stage's log. Opening walks the headers and checks the first record's hash, so that the log of another run or stage is refused;
/// every later hash is checked when its gradient is read, or all by <see cref="Verify"/>. Not for several threads at once.
/// </summary>
public sealed class TrajectoryReader : IDisposable
{
    private readonly FileStream _stream;
    private readonly TrajectoryScan _scan;
    private readonly string _path;

    private TrajectoryReader(FileStream stream, string path, string genesis) =>
        (_stream, _path, _scan) = (stream, path, new TrajectoryScan(stream, path, genesis));

    /// <summary>Records in the log.</summary>
    public int Count => _scan.Count;

    /// <summary>In log order. Kept compactly, each id once. Stays valid when the reader is disposed.</summary>
    public IReadOnlyList<StepRecord> Steps => _scan.Steps;

    /// <summary>Bytes of each gradient: four per parameter, or 0 where none were logged.</summary>
    public int GradientBytes => _scan.PayloadBytes;

    /// <summary>The last record's hash as lower-case hexadecimal, which pins the whole log; of an empty log the genesis hash.</summary>
    public string HeadHash => Convert.ToHexStringLower(_scan.HeadHash);

    /// <summary>Length of the file when it was opened.</summary>
    public long SizeBytes => _scan.Length;

    /// <summary>Opens a log and walks its headers. The result is disposed by the caller.</summary>
    /// <param name="path">The log.</param>
    /// <param name="genesis">What the writer was given.</param>
    /// <exception cref="TrajectoryException">The log is absent, damaged, cut off, or of another genesis.</exception>
    public static TrajectoryReader Open(string path, string genesis)
    {
        var reader = new TrajectoryReader(OpenFile(path), path, genesis);
        try
        {
            reader.Scan();
            return reader;
        }
        catch (Exception exception)
        {
            reader.Dispose();
            if (exception is IOException) throw TrajectoryException.Unreadable(path, exception);
            throw;
        }
    }

    /// <summary>Copies the raw gradient of a record, float32 little-endian, after checking its hash against the record before.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="gradient">Exactly <see cref="GradientBytes"/> long; its content is undefined after an exception.</param>
    /// <exception cref="TrajectoryException">The record was changed.</exception>
    public void ReadGradient(int index, Span<byte> gradient)
    {
        if (gradient.Length != GradientBytes)
        {
            throw new ArgumentException($"{gradient.Length} bytes for a gradient of {GradientBytes} bytes", nameof(gradient));
        }

        VerifyRecord(index, gradient);
    }

    /// <summary>Checks the hash of every record.</summary>
    /// <exception cref="TrajectoryException">The first record that was changed.</exception>
    public void Verify(CancellationToken cancellation = default)
    {
        for (var i = 0; i < Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            VerifyRecord(i, default);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _scan.Dispose();
        _stream.Dispose();
    }

    private void Scan()
    {
        _scan.CheckPreamble();
        while (_scan.TryAdvance())
        {
            if (_scan.Count == 1) _scan.Verify(0);
        }

        if (_scan.End != SizeBytes) throw TrajectoryException.Torn(_path, _scan.Count + 1, _scan.End);
    }

    private void VerifyRecord(int index, Span<byte> gradient)
    {
        try
        {
            _scan.Verify(index, gradient);
        }
        catch (IOException exception)
        {
            throw TrajectoryException.Unreadable(_path, exception);
        }
    }

    internal static FileStream OpenFile(string path)
    {
        try
        {
            return ForeignFile.OpenRead(path, FileShare.ReadWrite);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw TrajectoryException.Missing(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw TrajectoryException.Unreadable(path, exception);
        }
    }
}
