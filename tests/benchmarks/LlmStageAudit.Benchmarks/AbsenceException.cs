namespace LlmStageAudit.Benchmarks;

/// <summary>What a benchmark needs is not on this machine.</summary>
internal sealed class AbsenceException : Exception
{
    private AbsenceException(string message)
        : base(message)
    {
    }

    public static AbsenceException Of(string what) => new($"{what}; this benchmark needs it");
}
