using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Retraining.Executors;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Retraining.Tests.Runs;
using LlmStageAudit.Training;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Retraining.Tests.Executors;

[Collection(TinyRunCollection.Name)]
public sealed class LocalExecutorTests(RetrainableRun run)
{
    [Fact]
    public void Every_job_becomes_a_run_that_says_what_it_departs_from()
    {
        var plan = run.Plan("departs", "first", "second", "third");
        var started = Run(plan);
        Assert.Equal(["skip-first", "skip-second", "skip-third"], started);
        foreach (var job in plan.Plan.Jobs)
        {
            var manifest = ManifestOf(plan, job.Stage);
            Assert.Equal(RunState.Completed, manifest.State);
            Assert.Equal((run.Manifest.RunId, RunStartKind.Checkpoint, job.StartsAfter),
                (manifest.Start.RunId, manifest.Start.Kind, manifest.Start.AfterStage));
            Assert.Equal([job.Stage], manifest.Start.SkippedStages);
            Assert.Equal(job.Stages, manifest.Stages.Select(stage => stage.Name));
            Assert.Equal(job.Steps, manifest.Stages.Sum(stage => stage.Steps));
        }
    }

    [Fact]
    public void Leaving_out_the_last_stage_gives_the_state_before_it()
    {
        var plan = run.Plan("last", "third");
        Run(plan);
        var weights = Path.Combine(RunFolder.Open(plan.RunOf(plan.Plan.Jobs[0])).InitialFolder, "adapter_model.safetensors");
        var before = Path.Combine(run.Folder.StageStateFolder(1, "second"), "adapter_model.safetensors");
        Assert.Equal(File.ReadAllBytes(before), File.ReadAllBytes(weights));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(6)]
    public void A_job_that_was_stopped_goes_on_to_the_same_bits(int stopAfter)
    {
        var (whole, broken) = (run.Plan($"whole-{stopAfter}", "first"), run.Plan($"stopped-{stopAfter}", "first"));
        Run(whole);
        using var cancellation = new CancellationTokenSource();
        var progress = new Callback(step =>
        {
            if (step.Step == stopAfter) cancellation.Cancel();
        });
        var stopped = Assert.Throws<TrainingException>(() => LocalExecutor.Run(broken, null, null, progress, cancellation.Token));
        Assert.Equal(ErrorKind.Stopped, stopped.Kind);
        Assert.Equal("stopped", broken.StateOf(broken.Plan.Jobs[0]));

        Run(broken);
        Assert.Equal("completed", broken.StateOf(broken.Plan.Jobs[0]));
        var (expected, found) = (ManifestOf(whole, "first"), ManifestOf(broken, "first"));
        Assert.Equal(expected.RunId, found.RunId);
        Assert.NotEqual(run.Manifest.RunId, found.RunId);
        Assert.Equal(expected.Stages.Select(stage => stage.StateSha256), found.Stages.Select(stage => stage.StateSha256));
        Assert.Equal(expected.Stages.Select(stage => stage.TrajectoryHead), found.Stages.Select(stage => stage.TrajectoryHead));
        Assert.NotEqual(run.Manifest.Stages[2].StateSha256, found.Stages[1].StateSha256);
    }

    [Fact]
    public void Jobs_before_a_stop_stay_complete_and_are_left_alone_afterwards()
    {
        var plan = run.Plan("second-stopped", "second", "first");
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<TrainingException>(() => LocalExecutor.Run(
            plan, null, job => StopAt(job.Id == "skip-first"), null, cancellation.Token));
        Assert.Equal(["completed", "stopped"], plan.Plan.Jobs.Select(plan.StateOf));
        var before = Files(plan.RunOf(plan.Plan.Jobs[0]));
        Run(plan);
        Assert.Equal(["completed", "completed"], plan.Plan.Jobs.Select(plan.StateOf));
        Assert.Equal(before, Files(plan.RunOf(plan.Plan.Jobs[0])));

        void StopAt(bool now)
        {
            if (now) cancellation.Cancel();
        }
    }

    [Fact]
    public void Somebody_elses_run_in_a_jobs_folder_is_not_touched()
    {
        var plan = run.Plan("occupied", "second");
        var foreign = run.Train(Path.Combine("plans", "occupied", "plan.runs", "skip-second"));
        var before = Files(plan.RunOf(plan.Plan.Jobs[0]));
        var refused = Assert.Throws<RetrainingException>(() => Run(plan));
        Assert.Equal(ErrorKind.Input, refused.Kind);
        Assert.Contains($"{run.Manifest.RunId} without stage 'second'", refused.Message);
        Assert.Equal(foreign.RunId, ManifestOf(plan, "second").RunId);
        Assert.Equal(before, Files(plan.RunOf(plan.Plan.Jobs[0])));
    }

    [Fact]
    public void The_run_of_another_job_in_a_jobs_folder_is_refused()
    {
        var (first, second) = (run.Plan("swapped-first", "first"), run.Plan("swapped-second", "second"));
        Run(first);
        Directory.CreateDirectory(Path.GetDirectoryName(second.RunOf(second.Plan.Jobs[0]))!);
        Directory.Move(first.RunOf(first.Plan.Jobs[0]), second.RunOf(second.Plan.Jobs[0]));
        Assert.Throws<RetrainingException>(() => Run(second));
    }

    [Fact]
    public void A_plan_that_another_executor_runs_is_refused_and_free_again_afterwards()
    {
        var plan = run.Plan("held", "second");
        using (plan.Lock())
        {
            var refused = Assert.Throws<RetrainingException>(() => Run(plan));
            Assert.Equal(ErrorKind.Input, refused.Kind);
            Assert.Contains(
                $"{plan.Path}: being retrained by process {Environment.ProcessId} on",
                refused.Message,
                StringComparison.Ordinal);
            Assert.Equal("pending", plan.StateOf(plan.Plan.Jobs[0]));
        }

        Run(plan);
        Assert.Equal("completed", plan.StateOf(plan.Plan.Jobs[0]));
    }

    [Fact]
    public void A_plan_of_another_run_is_refused_before_anything_is_made()
    {
        var plan = run.Plan("foreign", "second");
        ArtifactJson.Write(plan.Path, plan.Plan with { RunId = "another" });
        Assert.Throws<RetrainingException>(() => Run(PlanFile.Open(plan.Path)));
        Assert.Equal([plan.Path], Directory.GetFileSystemEntries(Path.GetDirectoryName(plan.Path)!));
    }

    private static List<string> Run(PlanFile plan)
    {
        var started = new List<string>();
        LocalExecutor.Run(plan, null, job => started.Add(job.Id), null, CancellationToken.None);
        return started;
    }

    private static RunManifest ManifestOf(PlanFile plan, string stage) =>
        RunFolder.Open(plan.RunOf(plan.Plan.Jobs.Single(job => job.Stage == stage))).ReadManifest();

    private static (string Path, DateTime Written, long Length)[] Files(string folder) =>
        [.. new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Select(file => (file.FullName, file.LastWriteTimeUtc, file.Length)).OrderBy(file => file.FullName, StringComparer.Ordinal)];

    /// <summary>Tells at once, on the training thread, so that a stop falls on the step meant.</summary>
    private sealed class Callback(Action<RunProgress> report) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => report(value);
    }
}
