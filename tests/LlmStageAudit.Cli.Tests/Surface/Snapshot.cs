using System.Runtime.CompilerServices;

namespace LlmStageAudit.Cli.Tests.Surface;

/// <summary>Texts kept under Snapshots/. Set <c>UPDATE_SNAPSHOTS=1</c> to accept what the code writes now, then read the diff.</summary>
internal static class Snapshot
{
    public static void AssertEqual(string name, string actual, [CallerFilePath] string testFile = "")
    {
        var path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(testFile)!, "..", "Snapshots", name));
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1") File.WriteAllText(path, actual);
        Assert.True(File.Exists(path), $"{path}: no snapshot; run with UPDATE_SNAPSHOTS=1 to write it");
        Assert.Equal(File.ReadAllText(path).ReplaceLineEndings("\n"), actual);
    }
}
