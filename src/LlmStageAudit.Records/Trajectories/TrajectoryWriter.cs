using System.Security.Cryptography;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>Appends steps to a stage's log. Not for several threads at once; see <see cref="BackgroundTrajectoryWriter"/>.</summary>
public sealed class TrajectoryWriter : IDisposable
{
    private readonly FileStream _stream;
    private readonly string _path;
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _head;
    private Exception? _failure;
    private int _gradientBytes = -1;
    private int _lastStep;
    private int _lastStageStep;

    private TrajectoryWriter(FileStream stream, string path, ReadOnlySpan<byte> head) =>
        (_stream, _path, _head) = (stream, path, head.ToArray());

    /// <summary>Records in the log, those found on opening included.</summary>
    public int Count { get; private set; }

    /// <summary>Length of the log with everything appended so far, on disk or not.</summary>
    public long SizeBytes { get; private set; } = TrajectoryFrame.PreambleBytes;

    /// <summary>The last record's hash as lower-case hexadecimal; of an empty log the genesis hash.</summary>
    public string HeadHash => Convert.ToHexStringLower(_head);

    /// <summary>A new log, with its folder.</summary>
    /// <param name="path">Where no file may be yet.</param>
    /// <param name="genesis">What the log belongs to, such as run id and stage; a reader must give the same text.</param>
    /// <exception cref="TrajectoryException">A file is there already.</exception>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    public static TrajectoryWriter Create(string path, string genesis)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        DurableFolder.Create(folder);
        if (File.Exists(path)) throw TrajectoryException.Exists(path);
        return Opened(path, FileMode.CreateNew, stream =>
        {
            stream.Write(TrajectoryFrame.Preamble);
            DurableFile.Flush(stream);
            DurableFolder.Flush(folder);
            return new TrajectoryWriter(stream, path, TrajectoryFrame.GenesisHash(genesis));
        });
    }

    /// <summary>
    /// Goes on with a log after a stop, a crash or a loss of power: checks the hash of every record that is kept and cuts off what follows,
    /// be it a record whose writing was cut off, one that the disk holds with other content than was written, or steps that the saved
    /// state does not know. <see cref="Count"/> then says how many remain. Only a tail is cut: where a whole record follows the damage, it
    /// was no loss of power but a change, and the log is refused as it is.
    /// </summary>
    /// <param name="path">The log.</param>
    /// <param name="genesis">What it was created with.</param>
    /// <param name="keepRecords">How many records to keep, where the state to resume from says so; null: all whole ones.</param>
    /// <exception cref="TrajectoryException">
    /// A record before a whole one was changed, or there are fewer than <paramref name="keepRecords"/>.
    /// </exception>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    public static TrajectoryWriter OpenForAppend(string path, string genesis, int? keepRecords = null)
    {
        if (!File.Exists(path)) throw TrajectoryException.Missing(path);
        return Opened(path, FileMode.Open, stream =>
        {
            using (var found = new TrajectoryScan(stream, path, genesis)) CompletePreamble(stream, found);
            using var scan = new TrajectoryScan(stream, path, genesis);
            scan.CheckPreamble();
            scan.AdvanceOverWhole(keepRecords ?? int.MaxValue);
            if (scan.Count < keepRecords) throw TrajectoryException.TooFew(path, scan.Count, keepRecords.Value);
            if (stream.Length != scan.End) stream.SetLength(scan.End);
            stream.Position = scan.End;
            var writer = new TrajectoryWriter(stream, path, scan.HeadHash) { Count = scan.Count, SizeBytes = scan.End };
            if (scan.Count > 0) writer.Follow(scan.Steps[^1], scan.PayloadBytes);
            return writer;
        });
    }

    /// <summary>Appends one step, with its hash.</summary>
    /// <param name="record">Its step numbers must be above the last record's.</param>
    /// <param name="gradient">The raw gradient, float32 little-endian, as long as every other one of this log; or empty.</param>
    /// <exception cref="ArgumentException">The record cannot follow the last one.</exception>
    /// <exception cref="TrajectoryException">An earlier write failed, so that the file may end inside a record.</exception>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    public void Append(StepRecord record, ReadOnlySpan<byte> gradient)
    {
        if (_failure is not null) throw TrajectoryException.WriteFailedBefore(_path, _failure);
        CheckFollows(record, gradient);
        var header = StepHeader.Of(record);
        if (header.Length > TrajectoryFrame.MaximumHeaderBytes)
        {
            throw new ArgumentException($"a header of {header.Length} bytes; at most {TrajectoryFrame.MaximumHeaderBytes}", nameof(record));
        }

        Span<byte> framing = stackalloc byte[TrajectoryFrame.FramingBytes];
        TrajectoryFrame.WriteFraming(framing, header.Length, gradient.Length);
        _sha256.AppendData(_head);
        _sha256.AppendData(framing);
        _sha256.AppendData(header);
        _sha256.AppendData(gradient);
        _sha256.GetHashAndReset(_head);
        try
        {
            _stream.Write(framing);
            _stream.Write(header);
            _stream.Write(gradient);
            _stream.Write(_head);
        }
        catch (Exception exception) when (StorageException.IsFault(_failure = exception))
        {
            throw StorageException.Of(_path, exception);
        }

        Count++;
        SizeBytes += framing.Length + header.Length + (long)gradient.Length + _head.Length;
        Follow(record, gradient.Length);
    }

    /// <summary>Returns when the disk has what was appended, so that a saved state may count on it.</summary>
    public void Flush()
    {
        if (_failure is not null) throw TrajectoryException.WriteFailedBefore(_path, _failure);
        try
        {
            DurableFile.Flush(_stream);
        }
        catch (Exception exception) when (StorageException.IsFault(_failure = exception))
        {
            throw StorageException.Of(_path, exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sha256.Dispose();
        if (_failure is not null) DisposeAfterFailure(_stream);
        else _stream.Dispose();
    }

    private static TrajectoryWriter Opened(string path, FileMode mode, Func<FileStream, TrajectoryWriter> use)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, mode, FileAccess.ReadWrite, FileShare.Read, 1 << 16);
            return use(stream);
        }
        catch (Exception exception)
        {
            DisposeAfterFailure(stream);
            if (StorageException.IsFault(exception)) throw StorageException.Of(path, exception);
            if (mode == FileMode.Open && (exception is IOException or UnauthorizedAccessException))
                throw TrajectoryException.Unreadable(path, exception);
            throw;
        }
    }

    // The file's buffer may still hold what could not be written; that failure was the news.
    private static void DisposeAfterFailure(FileStream? stream)
    {
        try
        {
            stream?.Dispose();
        }
        catch (IOException)
        {
        }
    }

    // A crash right after creation can leave the preamble torn, or as the zeros a disk holds for what it never wrote; nothing is lost then.
    private static void CompletePreamble(FileStream stream, TrajectoryScan scan)
    {
        var found = new byte[Math.Min(stream.Length, TrajectoryFrame.PreambleBytes)];
        stream.ReadExactly(found);
        var isTorn = found.Length < TrajectoryFrame.PreambleBytes && found.AsSpan().SequenceEqual(TrajectoryFrame.Preamble[..found.Length]);
        var isUnwritten = found.Length > 0 && !found.AsSpan().ContainsAnyExcept((byte)0) && !scan.FindsFrameAfter(0);
        if (!isTorn && !isUnwritten) return;
        stream.Position = 0;
        stream.Write(TrajectoryFrame.Preamble);
        stream.Flush();
    }

    private void Follow(StepRecord record, int gradientBytes) =>
        (_gradientBytes, _lastStep, _lastStageStep) = (gradientBytes, record.Step, record.StageStep);

    private void CheckFollows(StepRecord record, ReadOnlySpan<byte> gradient)
    {
        if (record.Step <= _lastStep || record.StageStep <= _lastStageStep || record.Epoch < 0)
        {
            throw new ArgumentException(
                $"step {record.Step} ({record.StageStep} of its stage) cannot follow step {_lastStep} ({_lastStageStep})", nameof(record));
        }

        if (gradient.Length % sizeof(float) != 0 || gradient.Length > TrajectoryFrame.MaximumPayloadBytes
            || (_gradientBytes >= 0 && gradient.Length != _gradientBytes))
        {
            throw new ArgumentException($"{gradient.Length} bytes after gradients of {_gradientBytes} bytes", nameof(gradient));
        }
    }
}
