using System.Buffers;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>
/// Writes a log on a thread of its own, so that hashing and disk overlap with training. At most eight steps wait; then
/// <see cref="Enqueue"/> blocks. What was written is flushed to disk after a bounded time, so that a loss of power costs no more than that.
/// What goes wrong there surfaces at the next call here. To be called from one thread.
/// </summary>
public sealed class BackgroundTrajectoryWriter : IDisposable
{
    private const int Capacity = 8;

    private readonly TrajectoryWriter _writer;
    private readonly TimeSpan _flushInterval;
    private readonly Channel<Item> _queue = Channel.CreateBounded<Item>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly Task _task;
    private readonly long _sizeBytesAtStart;
    private Exception? _failure;
    private long _writeTicks;
    private long _waitTicks;
    private bool _isCompleted;
    private bool _isDisposed;

    /// <summary>Starts the thread that writes.</summary>
    /// <param name="writer">Belongs to this object from now on and is disposed with it.</param>
    /// <param name="flushInterval">See <see cref="DefaultFlushInterval"/>, which null means.</param>
    public BackgroundTrajectoryWriter(TrajectoryWriter writer, TimeSpan? flushInterval = null)
    {
        _writer = writer;
        _flushInterval = flushInterval ?? DefaultFlushInterval;
        _sizeBytesAtStart = writer.SizeBytes;
        _task = Task.Factory.StartNew(WriteAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>A record is on disk no later than this after it was written, also while no further one comes.</summary>
    internal static TimeSpan DefaultFlushInterval { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Time spent hashing and writing, on the writing thread. Exact after <see cref="Flush"/> or <see cref="Complete"/>.</summary>
    public double WriteSeconds => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _writeTicks)).TotalSeconds;

    /// <summary>Time the caller was held up here: the cost that training sees.</summary>
    internal double WaitSeconds => Stopwatch.GetElapsedTime(0, _waitTicks).TotalSeconds;

    /// <summary>Written by this object. Only valid after <see cref="Flush"/> or <see cref="Complete"/>.</summary>
    public long WrittenBytes => _writer.SizeBytes - _sizeBytesAtStart;

    /// <summary>Records in the log. Only valid after <see cref="Flush"/> or <see cref="Complete"/>.</summary>
    public int Count => _writer.Count;

    /// <summary>See <see cref="TrajectoryWriter.HeadHash"/>. Only valid after <see cref="Flush"/> or <see cref="Complete"/>.</summary>
    public string HeadHash => _writer.HeadHash;

    /// <summary>Hands over one step; waits while too much is waiting already.</summary>
    /// <param name="record">See <see cref="TrajectoryWriter.Append"/>.</param>
    /// <param name="gradient">Rented from <see cref="ArrayPool{T}.Shared"/>; goes back there, whatever happens.</param>
    /// <param name="length">How much of it is the gradient, in bytes.</param>
    public void Enqueue(StepRecord record, byte[] gradient, int length)
    {
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_isCompleted) throw new InvalidOperationException("the log is complete");
            ArgumentOutOfRangeException.ThrowIfNegative(length);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, gradient.Length);
            ThrowIfFailed();
        }
        catch
        {
            Return(gradient);
            throw;
        }

        if (Put(new Item(record, gradient, length, Flushed: null))) return;
        Return(gradient);
        ThrowIfFailed();
    }

    /// <summary>Returns when everything enqueued so far is on disk, so that a state may be saved that counts on it.</summary>
    public void Flush()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_isCompleted) throw new InvalidOperationException("the log is complete");
        ThrowIfFailed();
        var start = Stopwatch.GetTimestamp();
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Put(new Item(null, null, 0, flushed))) flushed.Task.GetAwaiter().GetResult();
        _waitTicks += Stopwatch.GetTimestamp() - start;
        ThrowIfFailed();
    }

    /// <summary>Writes what waits, flushes it to disk and ends the thread.</summary>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_isCompleted) return;
        var start = Stopwatch.GetTimestamp();
        End();
        ThrowIfFailed();
        _writer.Flush(toDisk: true);
        _waitTicks += Stopwatch.GetTimestamp() - start;
    }

    /// <summary>Writes what waits, without complaint where that fails: whoever needs to know calls <see cref="Complete"/>.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        End();
        _isDisposed = true;
        _writer.Dispose();
    }

    private void End()
    {
        _isCompleted = true;
        _queue.Writer.TryComplete();
        _task.GetAwaiter().GetResult();
    }

    // False after the writing thread has given up.
    private bool Put(Item item)
    {
        if (_queue.Writer.TryWrite(item)) return true;
        var start = Stopwatch.GetTimestamp();
        try
        {
            while (_queue.Writer.WaitToWriteAsync().AsTask().GetAwaiter().GetResult())
            {
                if (_queue.Writer.TryWrite(item)) return true;
            }

            return false;
        }
        finally
        {
            if (item.Record is not null) _waitTicks += Stopwatch.GetTimestamp() - start;
        }
    }

    private void WriteAll()
    {
        // When the oldest record that only the operating system has was written; 0: there is none.
        var oldest = 0L;
        while (WaitForItem(oldest))
        {
            while (_queue.Reader.TryRead(out var item))
            {
                Write(item);
                if (item.Record is null) oldest = 0;
                else if (oldest == 0) oldest = Stopwatch.GetTimestamp();
                FlushWhereDue(ref oldest);
            }

            FlushWhereDue(ref oldest);
        }
    }

    // True: an item is there, or a flush is due. False: none will come.
    private bool WaitForItem(long oldest)
    {
        var wait = _queue.Reader.WaitToReadAsync().AsTask();
        if (oldest == 0) return wait.GetAwaiter().GetResult();
        var left = _flushInterval - Stopwatch.GetElapsedTime(oldest);
        return left <= TimeSpan.Zero || !wait.Wait(left) || wait.Result;
    }

    private void FlushWhereDue(ref long oldest)
    {
        if (oldest == 0 || Stopwatch.GetElapsedTime(oldest) < _flushInterval) return;
        Write(new Item(null, null, 0, null));
        oldest = 0;
    }

    private void Write(Item item)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            if (Volatile.Read(ref _failure) is not null) return;
            if (item.Record is not null) _writer.Append(item.Record, item.Gradient.AsSpan(0, item.Length));
            else _writer.Flush(toDisk: true);
        }
        catch (Exception exception)
        {
            // From here on what comes is only taken off the queue, so that nobody waits for ever.
            Volatile.Write(ref _failure, exception);
            _queue.Writer.TryComplete();
        }
        finally
        {
            if (item.Gradient is not null) Return(item.Gradient);
            Interlocked.Add(ref _writeTicks, Stopwatch.GetTimestamp() - start);
            item.Flushed?.TrySetResult();
        }
    }

    private void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    // The pool throws at arrays it did not make, all of which are powers of two; nothing may end the writing thread early.
    private static void Return(byte[] gradient)
    {
        if (gradient.Length >= 16 && BitOperations.IsPow2(gradient.Length)) ArrayPool<byte>.Shared.Return(gradient);
    }

    private sealed record Item(StepRecord? Record, byte[]? Gradient, int Length, TaskCompletionSource? Flushed);
}
