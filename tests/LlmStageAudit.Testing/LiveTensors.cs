using Xunit;

namespace LlmStageAudit.Testing;

/// <summary>Demands that work frees every native tensor it makes. Only in assemblies whose tests do not run in parallel.</summary>
public static class LiveTensors
{
    public static void ReturnToTheirCount(Action work)
    {
        work(); // Fills caches that are meant to live on.
        var before = Settled();
        work();
        // Counted before the garbage collector gets a chance to clean up behind the work.
        var after = Tensor.TotalCount;
        Assert.Equal(before, after);
    }

    /// <summary>The count once finalizers have freed what earlier tests left to them.</summary>
    public static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Tensor.TotalCount;
    }
}
