using System.Diagnostics;
using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.BadInput;

/// <summary>Files from somebody else: links, pipes, pickles, and names that a shell or a page would take for more.</summary>
[Collection(AuditCollection.Name)]
public sealed class HostileInputTests(AuditFixture audit) : IDisposable
{
    private readonly BrokenWorkspace _workspace = new(audit);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void A_confined_command_refuses_every_path_that_leads_out()
    {
        Directory.CreateDirectory(_workspace.At("narrow"));
        var narrow = _workspace.At("narrow");
        var lines = _workspace.RefusedInLines(2, "train", _workspace.Config, "--out", _workspace.Out, "--confine", narrow).ErrorLines;
        Assert.Equal(5, lines.Length);
        Assert.All(lines, line => Assert.Contains("leads out of the folder", line));
        _workspace.Refused(2, ["attribute", audit.Run, "--probe", audit.Probe, "--confine", narrow], "data.path", "leads out");
        _workspace.Refused(
            2,
            ["report", audit.Run, "--out", _workspace.At("page.html"), "--confine", narrow],
            "manifest.json: model.path", "leads out");
        _workspace.Refused(2, ["status", _workspace.At("none.json"), "--confine", _workspace.At("absent")], "--confine", "no folder");
        CommandLine.Succeed("evaluate", audit.Run, "--probe", audit.Probe, "--confine", audit.Folder);
    }

    [Fact]
    public void A_confined_plan_may_not_name_a_run_or_a_probe_outside()
    {
        var plan = audit.RetrainedPlan("sgd", "exact");
        var beside = Path.GetDirectoryName(plan)!;
        _workspace.Refused(2, ["status", plan, "--confine", beside], "all.json: run", "leads out");
        CommandLine.Succeed("status", plan, "--confine", audit.Folder);
    }

    [Fact]
    public async Task A_pipe_is_refused_wherever_a_file_is_expected()
    {
        if (OperatingSystem.IsWindows()) return;
        foreach (var name in (string[])["pipe.yaml", "pipe.json", "pipe.safetensors"])
        {
            var start = new ProcessStartInfo("mkfifo") { ArgumentList = { _workspace.At(name) } };
            using var made = Process.Start(start)!;
            made.WaitForExit();
        }

        foreach (var (exitCode, args) in ((int, string[])[])
            [
                (2, ["train", _workspace.At("pipe.yaml"), "--out", _workspace.Out]),
                (2, ["evaluate", audit.Run, "--probe", _workspace.At("pipe.yaml")]),
                (3, ["status", _workspace.At("pipe.json")]),
                (3, ["inspect", _workspace.At("pipe.safetensors")]),
                (3, ["inspect", _workspace.At("pipe.json")]),
                (3, ["verify", audit.RetrainedPlan("sgd", "exact"), "--effects", _workspace.At("pipe.json")]),
            ])
        {
            var outcome = await Task.Run(() => CommandLine.Run(args)).WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(exitCode, outcome.ExitCode);
            Assert.Contains("is a pipe", Assert.Single(outcome.ErrorLines));
        }
    }

    [Fact]
    public void A_pickle_is_refused_with_the_way_to_convert_it()
    {
        File.WriteAllBytes(_workspace.At("model.pt"), [.. "PK\u0003\u0004"u8, .. new byte[60]]);
        _workspace.Refused(
            3,
            ["evaluate", "--model", _workspace.At("model.pt"), "--probe", audit.Probe],
            "model.pt", "can run code", "save_file");
        _workspace.Refused(2, ["inspect", _workspace.At("model.pt")], "model.pt", "can run code", "save_file");
        File.Delete(_workspace.Weights);
        File.WriteAllBytes(Path.Combine(_workspace.Model, "pytorch_model.bin"), [0x80, 2, (byte)'.']);
        _workspace.TrainRefused(3, "pytorch_model.bin", "can run code");
    }

    [Fact]
    public void A_run_folder_with_a_link_that_leads_out_is_not_written_through()
    {
        var run = _workspace.At("linked");
        FileTree.Copy(audit.Run, run);
        Directory.CreateDirectory(_workspace.At("elsewhere"));
        if (Directory.Exists(Path.Combine(run, "effects"))) Directory.Delete(Path.Combine(run, "effects"), recursive: true);
        Directory.CreateSymbolicLink(Path.Combine(run, "effects"), _workspace.At("elsewhere"));
        _workspace.Refused(3, ["attribute", run, "--probe", audit.Probe], "effects is a link that leads out");
        Assert.Empty(Directory.EnumerateFileSystemEntries(_workspace.At("elsewhere")));
    }

    [BuiltCommandFact]
    public void What_is_made_under_an_open_mask_is_not_open_to_all()
    {
        if (OperatingSystem.IsWindows()) return;
        string[] command = ["dotnet", BuiltCommand.Path, "train", _workspace.Config, "--out", _workspace.Out, "--quiet"];
        using var shell = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", "umask 0; exec \"$@\"", "sh", .. command]) { RedirectStandardOutput = true })!;
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
        var made = Directory.GetFileSystemEntries(_workspace.Out, "*", SearchOption.AllDirectories).Append(_workspace.Out).ToArray();
        Assert.Contains(made, path => path.EndsWith("trajectory.log", StringComparison.Ordinal));
        foreach (var path in made) Assert.False(File.GetUnixFileMode(path).HasFlag(UnixFileMode.OtherWrite), path);
    }

    /// <summary>Names that a shell would run and a page would render are carried from the training to the report, and do nothing.</summary>
    [Fact]
    public void Odd_names_of_folders_and_files_are_carried_through()
    {
        var odd = _workspace.At("a b 'c' \"d\" $(touch pwned) `touch pwned`;&|<img src=x onerror=alert(1)>\n--help #%20 \u00e9\u202e");
        TinyWorkspace.Write(Directory.CreateDirectory(odd).FullName);
        FileTree.Copy(audit.Model, Path.Combine(odd, "base-run", "stages", "01-language", "state"));
        var (run, probe, plan) = (
            Path.Combine(odd, "-r $(touch pwned)"),
            Path.Combine(odd, "identity.yaml"),
            Path.Combine(odd, "my plan; $(touch pwned)\".json"));
        Assert.Equal(run, CommandLine.Json("train", Path.Combine(odd, "sgd.yaml"), "--out", run).Text("run"));
        CommandLine.Json("attribute", run, "--probe", probe, "--gradient", "exact");
        CommandLine.Json("plan", run, "--skip", "second", "--out", plan);
        var job = Assert.Single(CommandLine.Json("retrain", plan).List("jobs"));
        Assert.Equal("completed", job.Text("state"));
        Assert.True(
            CommandLine.Json("verify", plan, "--min-pearson", "0.99").List("stages").Single().GetProperty("bitIdentical").GetBoolean());
        var page = File.ReadAllText(CommandLine.Json("report", run).Text("report"));
        Assert.DoesNotContain("<img", page);
        Assert.DoesNotContain('\u202e', page);
        foreach (var text in (string[])[CommandLine.Succeed("inspect", run).Output, CommandLine.Succeed("status", plan).Output])
        {
            Assert.DoesNotContain('\u202e', text);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(_workspace.At(), "pwned", SearchOption.AllDirectories));
        Assert.False(File.Exists("pwned"));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("$(touch pwned)")]
    [InlineData("../second")]
    [InlineData("a\\nb")]
    [InlineData("'\\\"<b>")]
    public void Odd_names_of_stages_are_refused(string name)
    {
        _workspace.Edit("sgd.yaml", "name: second", $"name: \"{name}\"");
        _workspace.TrainRefused(2, "stages.1.name", "letters, digits");
    }
}
