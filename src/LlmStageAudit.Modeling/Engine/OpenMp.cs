namespace LlmStageAudit.Modeling.Engine;

/// <summary>How OpenMP's threads wait for each other.</summary>
internal static class OpenMp
{
    /// <summary>
    /// Rounds of looking before a waiting thread sleeps. By default libgomp's threads look for ever, and where another program wants the
    /// same cores each waits for one that does not run: passes become 5 to 8 times slower.
    /// </summary>
    private const string SpinCount = "10000";

    /// <summary>Takes effect only before libgomp is loaded. What the user chose stays.</summary>
    public static void ChooseWaiting()
    {
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is { Length: > 0 }) return;
        SystemLibrary.SetDefaultVariable("GOMP_SPINCOUNT", SpinCount);
    }
}
