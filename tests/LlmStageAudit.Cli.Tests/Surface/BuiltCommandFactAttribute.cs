namespace LlmStageAudit.Cli.Tests.Surface;

/// <summary>A test of the built command; skipped, saying so, where it was not built in Release.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BuiltCommandFactAttribute : FactAttribute
{
    public BuiltCommandFactAttribute()
    {
        if (!File.Exists(BuiltCommand.Path)) Skip = "stageaudit.dll is not built in Release";
        else if (!File.Exists("/bin/sh")) Skip = "no /bin/sh to send a signal with";
    }
}
