using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Readme;

/// <summary>
/// A test that runs scripts/stageaudit; skipped where that would build first, by the launcher's own rule, since a test must not start a
/// build of what it is part of.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BuiltLauncherTheoryAttribute : TheoryAttribute
{
    public BuiltLauncherTheoryAttribute()
    {
        if (!File.Exists("/bin/bash") && !File.Exists("/usr/bin/bash")) Skip = "no bash";
        else if (!IsFresh()) Skip = "scripts/stageaudit would build first: run scripts/stageaudit --help or scripts/test.sh before";
    }

    private static bool IsFresh()
    {
        var root = SharedData.RepositoryRoot;
        var program = Path.Combine(root, "artifacts", "bin", "LlmStageAudit.Cli", "release", "stageaudit.dll");
        var stamp = Path.Combine(root, "artifacts", "build.stamp");
        if (!File.Exists(program)) return false;
        var built = new[] { program, stamp }.Where(File.Exists).Max(File.GetLastWriteTimeUtc);
        var sources = new DirectoryInfo(Path.Combine(root, "src"));
        return sources.EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Append(sources)
            .Concat(new DirectoryInfo(root).EnumerateFiles("Directory.*")).Append(new FileInfo(Path.Combine(root, "global.json")))
            .All(entry => entry.LastWriteTimeUtc <= built);
    }
}
