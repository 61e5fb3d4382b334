namespace LlmStageAudit.Records.Tests.Boundaries;

/// <summary>A test of permissions, which do not stop a privileged user.</summary>
public sealed class UnprivilegedFactAttribute : FactAttribute
{
    public UnprivilegedFactAttribute()
    {
        if (OperatingSystem.IsWindows()) Skip = "no such modes on Windows";
        else if (Environment.IsPrivilegedProcess) Skip = "permissions do not stop a privileged user";
    }
}
