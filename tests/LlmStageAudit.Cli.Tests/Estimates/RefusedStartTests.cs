using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Estimates;

/// <summary>A file system too small for the run: refused before anything is written.</summary>
[Collection(AuditCollection.Name)]
public sealed class RefusedStartTests(AuditFixture audit)
{
    [SmallFileSystemFact]
    public void Training_and_retraining_that_do_not_fit_are_refused_and_leave_nothing()
    {
        using var folder = new TemporaryFolder();
        var small = folder.At("small");
        Directory.CreateDirectory(small);
        Assert.True(SmallFileSystemFactAttribute.Mount(small, "64k"));
        try
        {
            var run = Path.Combine(small, "run");
            var outcome = CommandLine.Run("train", audit.At("sgd.yaml"), "--out", run, "--quiet");
            Assert.Equal(2, outcome.ExitCode);
            var line = Assert.Single(outcome.ErrorLines);
            Assert.Matches(
                @"^error: \S+/run: the run will write [\d.]+ [KM]iB; [\d.]+ KiB are free there; expected room for all of it; make room,",
                line);
            Assert.Contains("--force-start", line, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(small));

            var plan = Path.Combine(small, "plan.json");
            CommandLine.Json("plan", audit.Run, "--skip", "first", "--out", plan);
            var retrain = CommandLine.Run("retrain", plan);
            Assert.Equal(2, retrain.ExitCode);
            Assert.Contains("retraining will write", Assert.Single(retrain.ErrorLines), StringComparison.Ordinal);
            Assert.False(Path.Exists(Path.Combine(small, "plan.runs", "skip-first")));

            // Told to begin nevertheless, it does, and the disk is full on the way.
            var forced = CommandLine.Run("train", audit.At("sgd.yaml"), "--out", run, "--force-start");
            Assert.NotEqual(0, forced.ExitCode);
            Assert.DoesNotContain("--force-start", forced.Error, StringComparison.Ordinal);
            Assert.True(Directory.Exists(run));
        }
        finally
        {
            SmallFileSystemFactAttribute.Unmount(small);
        }
    }
}
