using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;

namespace LlmStageAudit.Records.Tests.Runs;

public sealed class RunFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Names_are_the_documented_ones()
    {
        var run = RunFolder.Create(_folder.At("run"));

        string Below(string path) => Path.GetRelativePath(_folder.At("run"), path);
        Assert.Equal("manifest.json", Below(run.ManifestPath));
        Assert.Equal("initial", Below(run.InitialFolder));
        Assert.Equal("stages/01-religion", Below(run.StageFolder(0, "religion")));
        Assert.Equal("stages/100-x", Below(run.StageFolder(99, "x")));
        Assert.Equal("stages/02-a.b/state", Below(run.StageStateFolder(1, "a.b")));
        Assert.Equal("stages/02-a.b/trajectory.log", Below(run.TrajectoryPath(1, "a.b")));
        Assert.Equal("effects/identity.json", Below(run.EffectsPath("identity")));
        Assert.Equal("rankings/identity.json", Below(run.RankingsPath("identity")));
        Assert.Equal("comparisons/identity.stage.json", Below(run.ComparisonPath("identity.stage")));
        Assert.Equal("report.html", Below(run.ReportPath));
        Assert.Throws<RunFolderException>(() => run.StageFolder(0, "../x"));
        Assert.Throws<RunFolderException>(() => run.EffectsPath(""));
    }

    [Fact]
    public void A_new_run_needs_an_empty_place()
    {
        Directory.CreateDirectory(_folder.At("empty"));
        RunFolder.Create(_folder.At("empty"));
        _folder.Write("full/notes.txt", "mine");
        _folder.Write("run/manifest.json", "{}");
        _folder.Write("file", "mine");

        AssertRefused("full: not empty; expected a new or empty folder; give another output", () => RunFolder.Create(_folder.At("full")));
        AssertRefused("run: a run is there already; expected", () => RunFolder.Create(_folder.At("run")));
        AssertRefused("file: a file; expected a new or empty folder", () => RunFolder.Create(_folder.At("file")));
        Assert.Equal("mine", File.ReadAllText(_folder.At("full/notes.txt")));
    }

    [Fact]
    public void What_is_no_run_is_not_opened()
    {
        Directory.CreateDirectory(_folder.At("empty"));

        AssertRefused("empty: no manifest.json; expected a run folder", () => RunFolder.Open(_folder.At("empty")));
        AssertRefused("none: no such folder; expected a run folder", () => RunFolder.Open(_folder.At("none")));
        Assert.False(RunFolder.IsRun(_folder.At("empty")));
    }

    [Fact]
    public void A_second_holder_of_the_lock_is_refused_and_told_who_holds_it()
    {
        var run = RunFolder.Create(_folder.At("run"));
        using (RunLock.Acquire(run))
        {
            AssertRefused($"in use by process {Environment.ProcessId} on {Environment.MachineName}", () => RunLock.Acquire(run));
        }

        using var again = RunLock.Acquire(run);
    }

    [Fact]
    public void What_a_crashed_holder_left_behind_locks_nobody_out_and_makes_no_folder_full()
    {
        var run = RunFolder.Create(_folder.At("run"));
        _folder.Write("run/run.lock", "");
        _folder.Write("run/run.holder", "process 1 on elsewhere");

        using var held = RunLock.Acquire(run);

        Assert.Equal($"process {Environment.ProcessId} on {Environment.MachineName}\n", File.ReadAllText(run.HolderPath));
        RunFolder.Create(_folder.At("run"));
    }

    [Fact]
    public void A_beginning_without_a_manifest_is_cleared_away_by_the_next_holder_of_the_lock()
    {
        var run = RunFolder.Create(_folder.At("run"));
        _folder.Write("run/run.lock", "");
        _folder.Write("run/initial/adapter_config.json", "{}");
        _folder.Write("run/manifest.json.1-x-y.partial", "{");

        Assert.Equal(run.Root, RunFolder.Create(_folder.At("run")).Root);
        using (RunLock.Acquire(run)) run.Occupy();

        Assert.Equal([run.LockPath], Directory.GetFileSystemEntries(run.Root));
    }

    [Fact]
    public void Where_no_lock_says_that_it_was_ours_nothing_is_cleared_away()
    {
        var mine = _folder.Write("other/initial/notes.txt", "mine");
        AssertRefused("other: not empty", () => RunFolder.Create(_folder.At("other")));
        Assert.True(File.Exists(mine));
    }

    [Fact]
    public void A_folder_that_another_run_came_to_meanwhile_is_not_occupied()
    {
        var run = RunFolder.Create(_folder.At("run"));
        using var held = RunLock.Acquire(run);
        _folder.Write("run/manifest.json", "{}");
        AssertRefused("run: a run is there already", run.Occupy);
        AssertRefused("run: in use by process", () => RunFolder.CheckIsFree(run.Root));
    }

    private static void AssertRefused(string expected, Action action)
    {
        var exception = Assert.Throws<RunFolderException>(action);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Input, exception.Kind);
    }
}
