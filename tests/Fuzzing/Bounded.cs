namespace LlmStageAudit.Testing.Fuzzing;

/// <summary>Runs what reads a hostile text on a thread with a small stack: recursion that follows the text would end the process.</summary>
internal static class Bounded
{
    private const int StackBytes = 512 << 10;
    private const int LongestMilliseconds = 2000;

    /// <summary>
    /// What the read throws, within two seconds of computing and an allocation of some multiple of the text; null where it throws
    /// nothing.
    /// </summary>
    public static Exception? Record(Action read, long mostBytes = 64 << 20)
    {
        var (elapsed, allocated, fault) = Once(read);
        // A machine that others use computes slower at times; what is slow by itself is slow again.
        if (elapsed.TotalMilliseconds > LongestMilliseconds) (elapsed, allocated, fault) = Once(read);
        Assert.True(elapsed.TotalMilliseconds <= LongestMilliseconds, $"took {elapsed.TotalSeconds:0.0} s");
        Assert.True(allocated <= mostBytes, $"allocated {allocated} bytes");
        return fault;
    }

    private static (TimeSpan Elapsed, long AllocatedBytes, Exception? Fault) Once(Action read)
    {
        (TimeSpan, long, Exception?) result = default;
        var thread = new Thread(
            () =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                var began = ThreadClock.Now;
                Exception? fault = null;
                try
                {
                    read();
                }
                catch (Exception exception)
                {
                    fault = exception;
                }

                result = (ThreadClock.Now - began, GC.GetAllocatedBytesForCurrentThread() - before, fault);
            },
            StackBytes);
        thread.Start();
        thread.Join();
        return result;
    }
}
