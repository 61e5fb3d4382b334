namespace LlmStageAudit.Records.Tests.Boundaries;

/// <summary>As <see cref="UnixFactAttribute"/>, for several cases.</summary>
public sealed class UnixTheoryAttribute : TheoryAttribute
{
    public UnixTheoryAttribute()
    {
        if (OperatingSystem.IsWindows()) Skip = "no such modes on Windows";
    }
}
