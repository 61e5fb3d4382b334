namespace LlmStageAudit.Records.Tests.Boundaries;

/// <summary>A test of pipes, devices and links, which Windows has not or has otherwise.</summary>
public sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute()
    {
        if (OperatingSystem.IsWindows()) Skip = "no such files on Windows";
    }
}
