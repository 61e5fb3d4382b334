using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.BadInput;

[Collection(AuditCollection.Name)]
public sealed class BadRunTests(AuditFixture audit) : IDisposable
{
    private readonly BrokenWorkspace _workspace = new(audit);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void A_run_is_never_trained_over()
    {
        CommandLine.Json("train", _workspace.Config, "--out", _workspace.Out);
        _workspace.TrainRefused(3, _workspace.Out, "a run is there already", "--resume", "--out");
    }

    [Fact]
    public void Nor_is_a_folder_with_something_else_in_it()
    {
        _workspace.Write("out/notes.txt", "mine");
        _workspace.TrainRefused(3, _workspace.Out, "not empty", "another --out");
    }

    [Fact]
    public void Nor_a_file()
    {
        _workspace.Write("out", "mine");
        _workspace.TrainRefused(3, _workspace.Out, "a file", "another --out");
    }

    [Theory]
    [InlineData("attribute")]
    [InlineData("rank")]
    [InlineData("compare")]
    [InlineData("plan")]
    [InlineData("report")]
    [InlineData("evaluate")]
    public void What_is_no_run_folder(string verb)
    {
        string[] options = verb switch
        {
            "plan" => ["--auto", "1"],
            "report" => [],
            "rank" => ["--probe", _workspace.Probe, "--confounder", "blue"],
            _ => ["--probe", _workspace.Probe],
        };
        _workspace.Refused(3, [verb, _workspace.Model, .. options], _workspace.Model, "no manifest.json", "expected a run folder");
        _workspace.Refused(3, [verb, _workspace.At("nowhere"), .. options], _workspace.At("nowhere"), "no such folder", "train first");
    }

    [Fact]
    public void A_run_that_was_not_completed()
    {
        CommandLine.Json("train", _workspace.Config, "--out", _workspace.Out);
        _workspace.Edit("out/manifest.json", "\"state\": \"completed\"\n}", "\"state\": \"running\"\n}");
        _workspace.Refused(3, ["attribute", _workspace.Out, "--probe", _workspace.Probe], _workspace.Out, "the run is running",
            "train --resume");
        _workspace.Refused(3, ["plan", _workspace.Out, "--skip", "first"], _workspace.Out, "the run is running", "train --resume");
    }

    [Fact]
    public void Data_that_changed_after_training()
    {
        CommandLine.Json("train", _workspace.Config, "--out", _workspace.Out);
        File.AppendAllText(_workspace.At("second.jsonl"), "{\"id\":\"new\",\"ids\":[4,5],\"label\":0,\"blue\":0}\n");
        _workspace.Refused(3, ["attribute", _workspace.Out, "--probe", _workspace.Probe], _workspace.At("second.jsonl"), "SHA-256",
            "recorded when the run was trained", "restore");
        File.Delete(_workspace.At("second.jsonl"));
        _workspace.Refused(3, ["attribute", _workspace.Out, "--probe", _workspace.Probe], _workspace.At("second.jsonl"),
            "the file is gone", "restore");
    }

    [Fact]
    public void A_damaged_log()
    {
        CommandLine.Json("train", _workspace.Config, "--out", _workspace.Out);
        var path = _workspace.At("out", "stages", "02-second", "trajectory.log");
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
        _workspace.Refused(3, ["attribute", _workspace.Out, "--probe", _workspace.Probe, "--gradient", "recorded"], path);
    }

    [Fact]
    public void A_manifest_that_is_no_json()
    {
        _workspace.Write("out/manifest.json", "{\"kind\":");
        _workspace.Refused(3, ["report", _workspace.Out], _workspace.At("out", "manifest.json"), "not valid JSON");
    }

    [Fact]
    public void Gradients_that_were_not_logged()
    {
        CommandLine.Json("train", _workspace.Config, "--out", _workspace.Out, "--set", "trajectory.gradients=false");
        _workspace.Refused(3, ["attribute", _workspace.Out, "--probe", _workspace.Probe, "--gradient", "recorded"],
            "trajectory.gradients: false", "--gradient exact");
        var outcome = CommandLine.Run("compare", _workspace.Out, "--probe", _workspace.Probe, "--estimators", "midpoint", "--quiet");
        Assert.Equal(3, outcome.ExitCode);
        Assert.Contains("trajectory.gradients: false", Assert.Single(outcome.ErrorLines));
        Assert.Equal(3, CommandLine.Json("attribute", _workspace.Out, "--probe", _workspace.Probe).List("effects").Length);
    }
}
