namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>A command to be broken off, and what it makes when it is not.</summary>
/// <param name="Name">For reports.</param>
/// <param name="Start">The folder that is copied to the place of work first; null: none.</param>
/// <param name="Args">The command.</param>
/// <param name="Again">How to go on with it.</param>
internal sealed record Operation(string Name, string? Start, string[] Args, string[] Again)
{
    /// <summary>Calls that change files, when nothing goes wrong.</summary>
    public int Calls { get; private set; }

    public TimeSpan Elapsed { get; private set; }

    public SortedDictionary<string, string> Tree { get; private set; } = [];

    public SortedDictionary<string, byte[]> Logs { get; private set; } = [];

    /// <summary>Runs it undisturbed, once to count its calls and once as a process of its own to see how long that takes.</summary>
    public Operation Measured(CrashWorkspace workspace)
    {
        workspace.Reset(Start);
        Calls = workspace.CallsOf(Args);
        Tree = ArtifactTree.Of(workspace.Out);
        Logs = TrajectoryTally.Logs(workspace.Out);
        workspace.Reset(Start);
        var ended = BuiltCommand.Run(Args);
        Elapsed = ended.Elapsed;
        // Else nothing that follows would mean anything.
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.Empty(ArtifactTree.Differences(Tree, ArtifactTree.Of(workspace.Out)));
        return this;
    }
}
