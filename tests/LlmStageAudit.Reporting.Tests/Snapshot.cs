using System.Runtime.CompilerServices;

namespace LlmStageAudit.Reporting.Tests;

/// <summary>Texts kept under Snapshots/. Set <c>UPDATE_SNAPSHOTS=1</c> to accept what the code writes now, then read the diff.</summary>
internal static class Snapshot
{
    public static void AssertEqual(string name, string actual, [CallerFilePath] string testFile = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(testFile)!, "Snapshots", name);
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1") File.WriteAllText(path, actual);
        Assert.True(File.Exists(path), $"{path}: no snapshot; run with UPDATE_SNAPSHOTS=1 to write it");
        var expected = File.ReadAllText(path).ReplaceLineEndings("\n");
        if (string.Equals(expected, actual, StringComparison.Ordinal)) return;
        var expectedLines = expected.Split('\n');
        var actualLines = actual.Split('\n');
        var line = expectedLines.Zip(actualLines).TakeWhile(pair => pair.First == pair.Second).Count();
        var (before, after) = (expectedLines.ElementAtOrDefault(line), actualLines.ElementAtOrDefault(line));
        Assert.Fail(
            $"Snapshots/{name} differs first in line {line + 1}\n- {before}\n+ {after}\n"
            + "Where the change is meant: run the tests with UPDATE_SNAPSHOTS=1 and review git diff.");
    }
}
