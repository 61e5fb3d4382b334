using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Training.Tests.Runs;

/// <summary>However a run is interrupted, its end has the same bits.</summary>
public sealed class ResumeTests : IDisposable
{
    private const string FirstLog = "stages/01-first/trajectory.log";
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_stopped_at_any_step_ends_with_the_same_states_and_the_same_log(bool adamW)
    {
        var configuration = TinyRun.Write(_folder, adamW ? TinyRun.AdamW : TinyRun.Sgd);
        var straight = TinyTraining.Train(configuration, _folder.At("straight"));

        TinyTraining.TrainUntil(1, configuration, _folder.At("begun"));
        foreach (var step in new[] { 2, 5, 6, 7, 8, 10 })
        {
            var path = _folder.At($"stopped{step}");
            TinyTraining.Copy(_folder.At("begun"), path);
            var stop = TinyTraining.StopAfter(
                step, (progress, token) => RunTrainer.Resume(path, configuration, TestDevice.Current, progress, token));
            Assert.Equal(ErrorKind.Stopped, stop.Kind);
            Assert.Equal(RunState.Stopped, RunFolder.Open(path).ReadManifest().State);
            var resumed = TinyTraining.Resume(path);
            Assert.Equal(RunState.Completed, resumed.State);
            Assert.Equal(TinyTraining.States(straight), TinyTraining.States(resumed));
            Assert.Equal(TinyTraining.Heads(straight), TinyTraining.Heads(resumed));
        }
    }

    [Fact]
    public void A_stop_says_where()
    {
        var stop = TinyTraining.TrainUntil(8, TinyRun.Write(_folder, TinyRun.Sgd), _folder.At("run"));
        // The second stage ends with step 8: the third has made none.
        Assert.Contains("after step 0 of stage 'third'", stop.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_stopped_after_its_last_step_is_complete()
    {
        using var source = new CancellationTokenSource();
        var progress = new Reports<RunProgress>(report => { if (report.Step == 11) source.Cancel(); });
        var manifest = RunTrainer.Train(TinyRun.Write(_folder, TinyRun.Sgd), _folder.At("run"), TestDevice.Current, progress, source.Token);
        Assert.Equal(RunState.Completed, manifest.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_run_that_broke_off_goes_on_to_the_same_states(bool gradients)
    {
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW) with { Trajectory = new() { Gradients = gradients } };
        var straight = TinyTraining.Train(configuration, _folder.At("straight"));
        foreach (var step in new[] { 1, 4, 6, 7, 11 })
        {
            var path = _folder.At($"broken{step}");
            TinyTraining.TrainUntilCrash(step, configuration, path);
            Assert.Equal(RunState.Running, RunFolder.Open(path).ReadManifest().State);
            Assert.Equal(TinyTraining.States(straight), TinyTraining.States(TinyTraining.Resume(path)));
        }
    }

    [Theory]
    [InlineData(-1)] // the last record lacks a byte of its hash
    [InlineData(-4000)] // and more
    [InlineData(5)] // a record was only begun
    [InlineData(-1_000_000_000)] // nothing but the name of the file is left
    public void A_torn_log_is_taken_back_to_its_last_whole_record(int bytes)
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        var straight = TinyTraining.Train(configuration, _folder.At("straight"));
        TinyTraining.TrainUntil(4, configuration, _folder.At("torn"));
        using (var log = new FileStream(_folder.At("torn", FirstLog), FileMode.Open))
        {
            log.SetLength(Math.Max(0, log.Length + bytes));
        }

        var resumed = TinyTraining.Resume(_folder.At("torn"));
        Assert.Equal(TinyTraining.States(straight), TinyTraining.States(resumed));
        using var run = TrainedRun.Open(_folder.At("torn"), TestDevice.Current);
        using var whole = run.OpenLog(0);
        Assert.Equal(6, whole.Steps.Count);
    }

    [Fact]
    public void A_run_without_logged_gradients_trains_the_same_and_resumes()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW);
        var logged = TinyTraining.Train(configuration, _folder.At("logged"));
        var bare = configuration with { Trajectory = new() { Gradients = false } };
        TinyTraining.TrainUntil(3, bare, _folder.At("bare"));
        var resumed = TinyTraining.Resume(_folder.At("bare"));
        Assert.Equal(TinyTraining.States(logged), TinyTraining.States(resumed));
        using var run = TrainedRun.Open(_folder.At("bare"), TestDevice.Current);
        using var log = run.OpenLog(0);
        Assert.False(log.HasGradients);
        Assert.Equal(6, log.Steps.Count);
        var error = Assert.Throws<TrainingException>(() => log.Gradient(run.Programs[0].Steps[0]));
        Assert.StartsWith("stage 'first': its log holds no gradients", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_configuration_is_refused()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        TinyTraining.TrainUntil(3, configuration, _folder.At("run"));
        var other = configuration with { Stages = [.. configuration.Stages.Select(stage => stage with { BatchSize = 5 })] };
        var error = Assert.Throws<TrainingException>(() => RunTrainer.Resume(_folder.At("run"), other, null, null, default));
        Assert.Equal(ErrorKind.Request, error.Kind);
        Assert.Equal(RunState.Completed, RunTrainer.Resume(_folder.At("run"), configuration, null, null, default).State);
    }

    [Fact]
    public void A_completed_run_is_left_alone_and_an_incomplete_one_does_not_open()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        TinyTraining.TrainUntil(3, configuration, _folder.At("run"));
        var error = Assert.Throws<TrainingException>(() => TrainedRun.Open(_folder.At("run"), TestDevice.Current));
        Assert.Contains("the run is stopped; expected a completed run", error.Message, StringComparison.Ordinal);
        TinyTraining.Resume(_folder.At("run"));
        var written = File.GetLastWriteTimeUtc(_folder.At("run", "manifest.json"));
        TinyTraining.Resume(_folder.At("run"));
        Assert.Equal(written, File.GetLastWriteTimeUtc(_folder.At("run", "manifest.json")));
        Assert.Throws<RunFolderException>(() => TinyTraining.Train(configuration, _folder.At("run")));
    }

    [Fact]
    public void Data_that_have_changed_or_gone_are_found_out()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        TinyTraining.TrainUntil(3, configuration, _folder.At("stopped"));
        TinyTraining.Train(configuration, _folder.At("done"));
        var path = configuration.Stages[1].Dataset.Path;
        File.AppendAllText(path, "\n");
        Action[] uses = [() => TinyTraining.Resume(_folder.At("stopped")), () => TrainedRun.Open(_folder.At("done"), TestDevice.Current)];
        foreach (var use in uses)
        {
            var error = Assert.Throws<TrainingException>(use);
            Assert.StartsWith($"{path}: SHA-256 ", error.Message, StringComparison.Ordinal);
            Assert.Equal(ErrorKind.Input, error.Kind);
        }

        File.Delete(path);
        Assert.Contains(
            "the file is gone",
            Assert.Throws<TrainingException>(() => TinyTraining.Resume(_folder.At("stopped"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Probes_may_change_since_training_does_not_read_them()
    {
        var probe = _folder.Write("probe.yaml", "data: { path: rows.jsonl }\n");
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd) with { Probes = [probe] };
        var manifest = TinyTraining.Train(configuration, _folder.At("run"));
        Assert.Contains(manifest.Inputs, input => input.Role == InputRole.Probe);
        File.AppendAllText(probe, "metric: margin\n");
        TrainedRun.Open(_folder.At("run"), TestDevice.Current).Dispose();
    }

    public void Dispose() => _folder.Dispose();
}
