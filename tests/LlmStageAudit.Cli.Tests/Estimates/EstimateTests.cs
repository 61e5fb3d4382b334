using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Estimates;

[Collection(AuditCollection.Name)]
public sealed class EstimateTests(AuditFixture audit)
{
    [Fact]
    public void Foretells_every_phase_and_leaves_nothing_behind()
    {
        var before = FileTree.Of(audit.Folder);
        var said = CommandLine.Json("estimate", audit.At("sgd.yaml"), "--measure-seconds", "1");
        Assert.Equal(before, FileTree.Of(audit.Folder));

        var phases = said.List("phases");
        Assert.Equal(
            [
                "load", "train first", "train second", "train third", "evaluate identity", "attribute identity, exact",
                "attribute identity, sweep over steps", "retrain without each stage",
            ],
            phases.Texts("name"));
        Assert.Equal(["train", "train", "train", "train", "evaluate", "attribute", "attribute", "retrain"], phases.Texts("command"));
        Assert.All(phases.Numbers("seconds"), seconds => Assert.InRange(seconds, 1e-4, 600));
        if (File.Exists("/proc/self/status")) Assert.All(phases.Numbers("peakMemoryBytes"), bytes => Assert.InRange(bytes, 1e7, 1e11));
        var totals = said.GetProperty("totals");
        Assert.Equal(phases.Numbers("seconds").Sum(), totals.Number("seconds"), 1e-9);
        Assert.Equal(phases.Numbers("peakMemoryBytes").Max(), totals.Number("peakMemoryBytes"));
        Assert.Equal(phases.Numbers("diskBytes").Sum(), totals.Number("diskBytes"));
        Assert.Equal(phases[..4].Numbers("diskBytes").Sum(), said.GetProperty("train").Number("diskBytes"));
        Assert.True(said.GetProperty("fits").GetBoolean());
        Assert.True(said.GetProperty("available").Number("diskBytes") > 0);
        Assert.True(said.GetProperty("measured").Count("trainingSteps") >= 4);
        Assert.NotEmpty(said.List("assumptions"));
    }

    [Fact]
    public void Foretells_the_disk_of_a_run_and_of_retraining_it_without_each_stage()
    {
        var said = CommandLine.Json("estimate", audit.At("adamw.yaml"), "--measure-seconds", "0", "--out", audit.At("adamw-run"));
        audit.RetrainedPlan("adamw", "exact");
        var manifest = JsonReading.ReadFile(audit.At("adamw-run", "manifest.json"));
        Assert.Equal("completed", manifest.Text("state"));
        Close(
            Written(audit.At("adamw-run"), "manifest.json", "seal.json", "initial", "stages"),
            said.GetProperty("train").Number("diskBytes"));
        Close(
            Written(audit.At("adamw-plans", "all.runs")),
            said.List("phases").Single(phase => phase.Text("command") == "retrain").Number("diskBytes"));

        static void Close(long written, double foretold) => Assert.InRange(foretold, written * 0.99, written * 1.01);
    }

    [Fact]
    public void Overrides_and_probes_of_the_command_line_count()
    {
        var one = CommandLine.Json("estimate", audit.At("sgd.yaml"), "--measure-seconds", "0");
        var more = CommandLine.Json(
            "estimate", audit.At("sgd.yaml"), "--measure-seconds", "0",
            "--set", "stages.second.epochs=5", "--set", "trajectory.gradients=false");
        double Of(System.Text.Json.JsonElement said, string phase) =>
            said.List("phases").Single(one => one.Text("name") == phase).Number("diskBytes");
        Assert.True(Of(more, "train second") < Of(one, "train second"));
        Assert.True(Of(more, "train second") > Of(more, "train first"));
        // Without gradients in the log there is nothing to sweep over.
        Assert.DoesNotContain(more.List("phases").Texts("name"), name => name.Contains("sweep", StringComparison.Ordinal));

        var without = CommandLine.Json("estimate", audit.At("base.yaml"), "--measure-seconds", "0");
        Assert.Equal(["load", "train language", "retrain without each stage"], without.List("phases").Texts("name"));
        Assert.Contains(
            without.GetProperty("assumptions").EnumerateArray(),
            text => text.GetString()!.Contains("no probe was given", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_json_a_table_says_it()
    {
        var outcome = CommandLine.Succeed("estimate", audit.At("sgd.yaml"), "--measure-seconds", "0");
        foreach (var text in new[] { "train second", "attribute identity, exact", "everything", "Available: ", "Everything fits." })
            Assert.Contains(text, outcome.Output, StringComparison.Ordinal);
        Assert.Contains("assumed: ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_input_is_told_as_training_would()
    {
        Assert.Equal(2, CommandLine.Run("estimate", audit.At("absent.yaml")).ExitCode);
        Assert.Equal(2, CommandLine.Run("estimate", audit.At("sgd.yaml"), "--measure-seconds", "-1").ExitCode);
        var outcome = CommandLine.Run("estimate", audit.At("sgd.yaml"), "--set", "optimizer.learningRat=1");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("learningRate", outcome.Error, StringComparison.Ordinal);
    }

    private static long Written(string folder, params string[] only) => new DirectoryInfo(folder)
        .EnumerateFiles("*", SearchOption.AllDirectories)
        .Where(file => only.Length == 0 || only.Contains(Path.GetRelativePath(folder, file.FullName).Split(Path.DirectorySeparatorChar)[0]))
        .Sum(file => file.Length);
}
