using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Training.Tests.Runs;

public sealed class RunTrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_run_folder_holds_what_explains_and_replays_the_run()
    {
        using var scope = NewDisposeScope();
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        var reported = new List<RunProgress>();
        var manifest = RunTrainer.Train(
            configuration, _folder.At("run"), TestDevice.Current, new Reports<RunProgress>(reported.Add), default);

        Assert.Equal(RunState.Completed, manifest.State);
        Assert.Equal([("first", 1, 6, 10), ("second", 7, 2, 8), ("third", 9, 3, 9)],
            manifest.Stages.Select(stage => (stage.Name, stage.FirstStep!.Value, stage.Steps, stage.Examples!.Value)));
        Assert.Equal(Enumerable.Range(1, 11), reported.Select(progress => progress.Step));
        Assert.All(reported, progress => Assert.Equal(11, progress.TotalSteps));
        Assert.Equal(
            ["config.json", "first.jsonl", "second.jsonl", "third.jsonl"],
            manifest.Inputs.Select(input => Path.GetFileName(input.Path)).Order());
        Assert.All(manifest.Inputs, input => Assert.Equal(ContentHash.OfFile(input.Path), input.Sha256));

        using var run = TrainedRun.Open(_folder.At("run"), TestDevice.Current);
        Assert.Equal(manifest.ParameterCount, run.Model.Layout.Count);
        Assert.Equal(run.Model.Layout.Slots.Select(slot => slot.Name), manifest.Parameters.Select(parameter => parameter.Name));
        var states = new[] { "initial", "stages/01-first/state", "stages/02-second/state", "stages/03-third/state" };
        foreach (var (folder, i) in states.Select((folder, i) => (_folder.At("run", folder), i)))
        {
            Assert.True(File.Exists(Path.Combine(folder, "adapter_config.json")));
            Vectors.SameBits(StateFolder.Read(folder, run.Model), run.StateBefore(i));
            if (i > 0) Assert.Equal(
                ContentHash.OfFile(Path.Combine(folder, "adapter_model.safetensors")), manifest.Stages[i - 1].StateSha256);
        }

        CheckLogs(run);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_that_is_not_finite_is_named(bool lora)
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd with { LearningRate = 1e30 }, lora);
        var refused = Assert.Throws<TrainingException>(
            () => RunTrainer.Train(configuration, _folder.At("run"), TestDevice.Current, null, default));
        Assert.Matches("^stage 'first', step [2-6]: the (loss|gradient norm) is [^;]*; expected a finite number; lower", refused.Message);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public void States_rebuilt_from_the_log_are_the_saved_ones_bit_for_bit(bool adamW, bool lora)
    {
        using var scope = NewDisposeScope();
        TinyTraining.Train(TinyRun.Write(_folder, adamW ? TinyRun.AdamW : TinyRun.Sgd, lora), _folder.At("run"));
        using var run = TrainedRun.Open(_folder.At("run"), TestDevice.Current);
        for (var stage = 0; stage < run.Programs.Count; stage++)
        {
            var program = run.Programs[stage];
            using var log = run.OpenLog(stage);
            using var end = log.Replay(program.Optimizer.Start(run.StateBefore(stage)), 0, program.Steps.Count);
            Vectors.SameBits(run.StateBefore(stage + 1), end.Theta);
            Assert.False(run.StateBefore(stage).Equals(end.Theta));
            // What was logged is the gradient of the batch at the state before the step.
            using var half = log.Replay(program.Optimizer.Start(run.StateBefore(stage)), 0, 1);
            var (loss, gradient) = program.Objective.LossAndGradient(half.Theta, program.Steps[1].Batch, program.MicroBatchSize);
            Vectors.SameBits(gradient, log.Gradient(program.Steps[1]));
            Assert.Equal(loss, log.Steps[1].LossNats);
            Assert.Equal(gradient.norm().ToNumber(), log.Steps[1].GradientNorm);
        }
    }

    [Fact]
    public void The_same_configuration_gives_the_same_states_and_another_seed_does_not()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW);
        var states = TinyTraining.States(TinyTraining.Train(configuration, _folder.At("one")));
        Assert.Equal(states, TinyTraining.States(TinyTraining.Train(configuration, _folder.At("two"))));
        Assert.NotEqual(states, TinyTraining.States(TinyTraining.Train(configuration with { Seed = 12 }, _folder.At("three"))));
    }

    [Fact]
    public void All_parameters_may_train_and_the_result_is_a_model_folder()
    {
        using var scope = NewDisposeScope();
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd, lora: false);
        TinyTraining.Train(configuration, _folder.At("run"));
        var (model, state) = LanguageModelLoader.Load(
            _folder.At("run", "stages", "03-third", "state"),
            new LanguageModelOptions { Task = ModelTask.SequenceClassification, ForTraining = false, Device = TestDevice.Current });
        using var owned = model;
        using var run = TrainedRun.Open(_folder.At("run"), TestDevice.Current);
        Vectors.SameBits(run.FinalState(), state);
        Assert.Equal(model.Layout.Count, run.Manifest.ParameterCount);
        Assert.Contains(run.Model.Layout.Slots, slot => slot.Name == "gpt_neox.embed_in.weight");
        state.Dispose();
    }

    [Fact]
    public void A_model_folder_with_weights_is_a_base_to_train_an_adapter_on()
    {
        using var scope = NewDisposeScope();
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        var (random, weights) = TinyModel.Load(configuration.Model.Path, ModelTask.CausalLm, dtype: float32);
        using (random) StateFolder.Write(_folder.At("base"), random, weights);
        weights.Dispose();
        var causal = configuration with
        {
            Model = new ModelSection { Path = _folder.At("base"), Task = ModelTask.CausalLm },
            Stages = [.. configuration.Stages.Select(stage => stage with { Optimizer = TinyRun.AdamW })],
        };
        var manifest = TinyTraining.Train(causal, _folder.At("run"));
        Assert.Equal(
            ["config.json", "model.safetensors"],
            manifest.Inputs.Where(input => input.Role == InputRole.Model).Select(input => Path.GetFileName(input.Path)));
        using var run = TrainedRun.Open(_folder.At("run"), TestDevice.Current);
        Assert.DoesNotContain(run.Model.Layout.Slots, slot => !slot.Name.Contains(".lora_", StringComparison.Ordinal));
        CheckLogs(run);
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_the_run_with_stage_and_step()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd with { LearningRate = 1e30 });
        var error = Assert.Throws<TrainingException>(() => TinyTraining.Train(configuration, _folder.At("run")));
        // The first step is the warm-up's, at rate 0; the second goes astray, the third meets it.
        Assert.StartsWith("stage 'first', step 3: the ", error.Message, StringComparison.Ordinal);
        Assert.Contains("lower the learning rate", error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Failure, error.Kind);
    }

    [Fact]
    public void Faults_of_the_inputs_leave_no_run_folder()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        File.AppendAllText(configuration.Stages[2].Dataset.Path, "{\"id\": \"x\", \"ids\": [99], \"label\": 0}\n");
        Assert.ThrowsAny<InvalidInputException>(() => TinyTraining.Train(configuration, _folder.At("run")));
        Assert.False(Directory.Exists(_folder.At("run")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_same_run_twice_gives_the_same_files_wherever_it_lies(bool adamW)
    {
        var first = TinyTraining.Train(TinyRun.Write(_folder, adamW ? TinyRun.AdamW : TinyRun.Sgd), _folder.At("run"));
        using var elsewhere = new TemporaryFolder();
        var second = TinyTraining.Train(TinyRun.Write(elsewhere, adamW ? TinyRun.AdamW : TinyRun.Sgd), elsewhere.At("another", "run"));

        Assert.Equal(first.RunId, second.RunId);
        var files = Directory.GetFiles(_folder.At("run"), "*", SearchOption.AllDirectories)
            .Where(path => !path.EndsWith("manifest.json", StringComparison.Ordinal));
        // The base's path stands in an adapter's README.
        foreach (var file in files.Where(path => Path.GetExtension(path) is ".log" or ".safetensors"))
        {
            var other = elsewhere.At("another", "run", Path.GetRelativePath(_folder.At("run"), file));
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(other));
        }
    }

    [Fact]
    public void Another_seed_or_other_data_make_another_run()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        var run = TinyTraining.Train(configuration, _folder.At("run"));
        var seeded = TinyTraining.Train(configuration with { Seed = 12 }, _folder.At("seeded"));
        File.AppendAllText(configuration.Stages[2].Dataset.Path, "\n");
        var changed = TinyTraining.Train(configuration, _folder.At("changed"));
        Assert.Equal(3, new[] { run, seeded, changed }.Select(manifest => manifest.RunId).Distinct().Count());
        Assert.Equal(TinyTraining.States(run), TinyTraining.States(changed));
    }

    [Fact]
    public void A_log_of_another_run_is_refused()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        TinyTraining.Train(configuration with { Seed = configuration.Seed + 1 }, _folder.At("one"));
        TinyTraining.Train(configuration, _folder.At("two"));
        const string Log = "stages/02-second/trajectory.log";
        File.Copy(_folder.At("one", Log), _folder.At("two", Log), overwrite: true);
        using var run = TrainedRun.Open(_folder.At("two"), TestDevice.Current);
        Assert.Throws<TrajectoryException>(() => run.OpenLog(1));
        run.OpenLog(0).Dispose();
    }

    [Fact]
    public void A_stage_that_is_not_there_is_answered_with_the_nearest()
    {
        TinyTraining.Train(TinyRun.Write(_folder, TinyRun.Sgd), _folder.At("run"));
        using var run = TrainedRun.Open(_folder.At("run"), TestDevice.Current);
        Assert.Equal(1, run.StageIndex("second"));
        var error = Assert.Throws<TrainingException>(() => run.StageIndex("secnd"));
        Assert.Contains("did you mean 'second'?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Live_tensors_are_constant_over_steps_and_return_after_the_run()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW);
        // Rows of one length, so that no step adds to the cached rotary tables.
        foreach (var stage in configuration.Stages)
            TinyRun.WriteRows(_folder, Path.GetFileName(stage.Dataset.Path), stage.Name, 10, length: 5);
        var counts = new List<(string Stage, long Count)>();
        var run = 0;
        LiveTensors.ReturnToTheirCount(() =>
        {
            counts.Clear();
            var progress = new Reports<RunProgress>(report => counts.Add((report.Stage, Tensor.TotalCount)));
            RunTrainer.Train(configuration, _folder.At($"run{run++}"), TestDevice.Current, progress, default);
        });
        Assert.Equal(3, counts.Distinct().Count());
        LiveTensors.ReturnToTheirCount(() => TrainedRun.Open(_folder.At("run0"), TestDevice.Current).Dispose());
    }

    public void Dispose() => _folder.Dispose();

    private static void CheckLogs(TrainedRun run)
    {
        for (var stage = 0; stage < run.Programs.Count; stage++)
        {
            var (program, result) = (run.Programs[stage], run.Manifest.Stages[stage]);
            using var log = run.OpenLog(stage);
            Assert.Equal(program.Steps.Select(step => step.LearningRate), log.Steps.Select(record => record.LearningRate));
            Assert.Equal(Enumerable.Range(result.FirstStep!.Value, program.Steps.Count), log.Steps.Select(record => record.Step));
            var ids = log.Steps.Take((result.Examples!.Value + 3) / 4).SelectMany(record => record.BatchIds);
            Assert.Equal(Enumerable.Range(0, result.Examples.Value).Select(i => $"{program.Name}-{i}").Order(), ids.Order());
            Assert.Equal(log.Steps[0].LossNats, result.LossFirst);
            Assert.Equal(log.Steps[^1].LossNats, result.LossLast);
            Assert.Equal(log.Steps.Average(record => record.LossNats), result.LossMean);
        }
    }
}
