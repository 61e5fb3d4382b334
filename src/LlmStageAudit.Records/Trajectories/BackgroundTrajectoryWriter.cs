using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.ExceptionServices;

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
    private readonly BlockingCollection<Item> _queue = new(Capacity);
    private readonly Task _task;
    private readonly long _sizeBytesAtStart;
    private volatile Exception? _failure;
    private long _writeTicks;
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
            ArgumentOutOfRangeException.ThrowIfNegative(length);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, gradient.Length);
            Put(new Item(record, gradient, length, Flushed: null));
        }
        catch
        {
            Return(gradient);
            throw;
        }
    }

    /// <summary>Returns when everything enqueued so far is on disk, so that a state may be saved that counts on it.</summary>
    public void Flush()
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Put(new Item(null, [], 0, flushed));
        flushed.Task.GetAwaiter().GetResult();
        ThrowIfFailed();
    }

    /// <summary>Writes what waits, flushes it to disk and ends the thread.</summary>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_queue.IsAddingCompleted) return;
        End();
        ThrowIfFailed();
        _writer.Flush();
    }

    /// <summary>Writes what waits, without complaint where that fails: whoever needs to know calls <see cref="Complete"/>.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        End();
        _isDisposed = true;
        _queue.Dispose();
        _writer.Dispose();
    }

    private void End()
    {
        _queue.CompleteAdding();
        _task.GetAwaiter().GetResult();
    }

    private void Put(Item item)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_queue.IsAddingCompleted) throw new InvalidOperationException("the log is complete");
        ThrowIfFailed();
        _queue.Add(item);
    }

    private void WriteAll()
    {
        // When the oldest record that only the operating system has was written; null: there is none.
        long? oldest = null;
        while (!_queue.IsCompleted)
        {
            if (_queue.TryTake(out var item, MillisecondsUntilFlush(oldest)))
            {
                Write(item);
                oldest = item.Record is null ? null : oldest ?? Stopwatch.GetTimestamp();
            }

            if (MillisecondsUntilFlush(oldest) != 0) continue;
            Write(new Item(null, [], 0, null));
            oldest = null;
        }
    }

    private int MillisecondsUntilFlush(long? oldest) => oldest is { } since
        ? (int)Math.Ceiling(Math.Max(0, (_flushInterval - Stopwatch.GetElapsedTime(since)).TotalMilliseconds))
        : Timeout.Infinite;

    private void Write(Item item)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            // After a failure what comes is only taken off the queue, so that nobody waits for ever.
            if (_failure is not null) return;
            if (item.Record is not null) _writer.Append(item.Record, item.Gradient.AsSpan(0, item.Length));
            else _writer.Flush();
        }
        catch (Exception exception)
        {
            _failure = exception;
        }
        finally
        {
            Return(item.Gradient);
            Interlocked.Add(ref _writeTicks, Stopwatch.GetTimestamp() - start);
            item.Flushed?.SetResult();
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    // The pool throws at arrays it did not make, all of which are powers of two; nothing may end the writing thread early.
    private static void Return(byte[] gradient)
    {
        if (gradient.Length >= 16 && BitOperations.IsPow2(gradient.Length)) ArrayPool<byte>.Shared.Return(gradient);
    }

    // A step, or without a record: what was written so far is to go to disk.
    private sealed record Item(StepRecord? Record, byte[] Gradient, int Length, TaskCompletionSource? Flushed);
}
