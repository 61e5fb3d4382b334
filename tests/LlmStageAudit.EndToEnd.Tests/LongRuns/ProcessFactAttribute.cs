using LlmStageAudit.EndToEnd.Tests.Crashes;

namespace LlmStageAudit.EndToEnd.Tests.LongRuns;

/// <summary>A test that looks at the built command as a process; skipped, saying so, where that cannot be.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ProcessFactAttribute : FactAttribute
{
    public ProcessFactAttribute()
    {
        if (!File.Exists(BuiltCommand.Path)) Skip = "stageaudit.dll is not built in Release";
        else if (!File.Exists("/proc/self/status")) Skip = "no /proc/self/status on this system";
    }
}
