using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Tampering;

/// <summary>What verify-log says of runs that nobody changed: whole ones, unfinished ones, ones whose inputs are elsewhere.</summary>
public sealed class VerifyLogTests : IClassFixture<TamperedRun>, IDisposable
{
    private const int Records = 3 * TamperedRun.StepsPerStage;

    private readonly TamperedRun _run;

    public VerifyLogTests(TamperedRun run)
    {
        _run = run;
        _run.Restore();
    }

    [Fact]
    public void A_whole_run_is_proved_by_hashes_and_by_executing_steps_again()
    {
        var said = CommandLine.Json("verify-log", _run.At(), "--replay", "5", "--inputs");
        Assert.Equal((Records, 5, 3), (said.Count("records"), said.Count("replayed"), said.Count("statesReplayed")));
        Assert.Equal((0.0, 0.0), (said.Number("worstGradientError"), said.Number("worstStateError")));
        Assert.Equal(("whole", 3, 3), (said.Text("sealed"), said.Count("sealedStages"), said.Count("stages")));
        Assert.True(said.Count("inputsChecked") > 4);
        Assert.Equal(JsonReading.ReadFile(_run.At("seal.json")).Text("sha256"), said.Text("sealSha256"));
        var outcome = CommandLine.Succeed("verify-log", _run.At(), "--replay", "5");
        Assert.StartsWith($"{Records} records, intact", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("5 steps executed again, worst relative gradient error 0", outcome.Output, StringComparison.Ordinal);
        Assert.Empty(outcome.Error);
    }

    [Fact]
    public void Inputs_that_are_elsewhere_are_named_and_are_a_finding_only_where_they_are_demanded()
    {
        var absent = _run.Input("second.jsonl");
        File.Delete(absent);
        var said = CommandLine.Json("verify-log", _run.At());
        Assert.Equal([absent], said.List("inputsAbsent").Select(path => path.GetString()));
        Assert.Contains($"not here, not checked: {absent}", CommandLine.Succeed("verify-log", _run.At()).Error, StringComparison.Ordinal);
        var outcome = CommandLine.Run("verify-log", _run.At(), "--inputs", "--json");
        Assert.Equal(4, outcome.ExitCode);
        Assert.Equal(
            (absent, "missing"),
            (outcome.Json.List("findings").Single().Text("file"), outcome.Json.List("findings").Single().Text("kind")));
    }

    [Fact]
    public void A_changed_run_is_not_executed()
    {
        File.AppendAllText(_run.At("initial", "README.md"), "x");
        var outcome = CommandLine.Run("verify-log", _run.At(), "--replay", "2");
        Assert.Equal(4, outcome.ExitCode);
        Assert.Contains("nothing was executed again", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("initial/README.md: it was changed", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("NOT intact", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_without_its_manifest_is_still_a_run()
    {
        File.Delete(_run.At("manifest.json"));
        var outcome = CommandLine.Run("verify-log", _run.At(), "--json");
        Assert.Equal(4, outcome.ExitCode);
        Assert.Equal(Records, outcome.Json.Count("records"));
        Assert.Equal("the manifest is gone", Assert.Single(outcome.Json.List("findings")).Text("message"));
    }

    [Fact]
    public void A_link_in_the_place_of_a_folder_is_not_followed()
    {
        if (OperatingSystem.IsWindows()) return;
        Directory.CreateSymbolicLink(_run.At("stages", "loop"), _run.At());
        var outcome = CommandLine.Run("verify-log", _run.At(), "--json");
        Assert.Equal(4, outcome.ExitCode);
        Assert.Equal(
            ("stages/loop", "unpinned"),
            (outcome.Json.List("findings").Single().Text("file"), outcome.Json.List("findings").Single().Text("kind")));
    }

    public void Dispose() => _run.Restore();
}
