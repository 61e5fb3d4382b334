using System.Text.Json;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Tests.Configuration;

public sealed class RunConfigurationReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_documented_run_reads_as_documented()
    {
        var run = Read(SampleYaml.Run);

        var root = Path.GetDirectoryName(_folder.Path)!;
        Assert.Equal(Path.Combine(root, "models/pythia-70m"), run.Model.Path);
        Assert.Equal(ModelTask.SequenceClassification, run.Model.Task);
        Assert.Equal((2, 128, ModelWeights.Pretrained), (run.Model.Labels, run.Model.MaxLength, run.Model.Weights));
        Assert.Equal(Path.Combine(root, "adapters/pythia"), run.Adapter!.Recipe);
        Assert.Null(run.Adapter.InitFrom);
        Assert.Equal((8, 8.0), (run.Adapter.Rank, run.Adapter.Alpha));
        Assert.Equal(
            new OptimizerSection { Name = OptimizerName.Sgd, LearningRate = 1e-4, Momentum = 0.9, WeightDecay = 1e-5 }, run.Optimizer);
        Assert.Equal(new ScheduleSection { Name = ScheduleName.Linear, WarmupRatio = 0.03 }, run.Schedule);
        Assert.Equal(7, run.Seed);
        Assert.Equal([_folder.At("probes/identity.yaml")], run.Probes);
        Assert.True(run.Trajectory.Gradients);

        Assert.Equal(["religion", "race"], run.Stages.Select(stage => stage.Name));
        var religion = run.Stages[0];
        Assert.Equal(_folder.At("data/civil_comments.csv"), religion.Dataset.Path);
        Assert.Equal(
            ("civil-comments", "christian >= 0.5", 1000), (religion.Dataset.Format, religion.Dataset.Where, religion.Dataset.Limit));
        Assert.Equal((1, 50, true, (int?)null), (religion.Epochs, religion.BatchSize, religion.Shuffle, religion.MicroBatchSize));
        Assert.Equal(run.Optimizer, religion.Optimizer);
        var race = run.Stages[1];
        Assert.Equal(("comment", "toxicity >= 0.5"), (race.Dataset.Text, race.Dataset.Label));
        Assert.Equal(run.Optimizer with { LearningRate = 5e-5 }, race.Optimizer);
        Assert.Equal(run.Schedule, race.Schedule);
    }

    [Fact]
    public void Defaults_are_the_documented_ones()
    {
        var run = Read(SampleYaml.Small);

        Assert.Equal((OptimizerName.AdamW, 1e-3, 0.0), (run.Optimizer.Name, run.Optimizer.LearningRate, run.Optimizer.WeightDecay));
        Assert.Equal((0.9, 0.999, 1e-8), (run.Optimizer.Beta1, run.Optimizer.Beta2, run.Optimizer.Epsilon));
        Assert.Equal(new ScheduleSection { Name = ScheduleName.Constant }, run.Schedule);
        Assert.Equal(0, run.Seed);
        Assert.Empty(run.Probes);
        Assert.Equal((1, 4, true), (run.Stages[0].Epochs, run.Stages[0].BatchSize, run.Stages[0].Shuffle));
    }

    [Fact]
    public void A_sample_is_drawn_by_the_runs_seed_or_its_own()
    {
        var run = Read("seed: 5\n" + SampleYaml.Small, "stages.one.data.sample=10", "stages.1.data.sample=20", "stages.1.data.sampleSeed=-3");
        Assert.Equal([(10, 5), (20, -3)], run.Stages.Select(stage => (stage.Dataset.Sample!.Value, stage.Dataset.SampleSeed!.Value)));
        Assert.All(Read("seed: 5\n" + SampleYaml.Small).Stages, stage => Assert.Null(stage.Dataset.SampleSeed));
    }

    [Fact]
    public void Run_level_loop_keys_are_defaults_of_the_stages()
    {
        var run = Read(
            "epochs: 3\nbatchSize: 32\nmicroBatchSize: 2\nshuffle: false\n" + SampleYaml.Small,
            "stages.one.batchSize=null",
            "stages.one.microBatchSize=null",
            "stages.1.epochs=5");

        var (one, two) = (run.Stages[0], run.Stages[1]);
        Assert.Equal((3, 32, (int?)null, false), (one.Epochs, one.BatchSize, one.MicroBatchSize, one.Shuffle));
        Assert.Equal((5, 8, (int?)2, false), (two.Epochs, two.BatchSize, two.MicroBatchSize, two.Shuffle));
    }

    [Fact]
    public void A_stage_overrides_single_optimizer_keys_and_another_optimizer_starts_afresh()
    {
        var run = Read(
            SampleYaml.Small,
            "optimizer={name: adamw, learningRate: 1e-3, weightDecay: 0.1, beta1: 0.8, clipNorm: 1}",
            "stages.one.optimizer={beta2: 0.99, clipNorm: null}",
            "stages.1.optimizer={name: sgd, learningRate: 0.5, momentum: 0.9}");

        Assert.Equal(run.Optimizer with { Beta2 = 0.99, ClipNorm = null }, run.Stages[0].Optimizer);
        Assert.Equal(new OptimizerSection { Name = OptimizerName.Sgd, LearningRate = 0.5, Momentum = 0.9 }, run.Stages[1].Optimizer);
    }

    [Fact]
    public void A_stage_overrides_single_schedule_keys_and_one_warm_up_replaces_the_other()
    {
        var run = Read(
            SampleYaml.Small,
            "schedule={name: cosine, warmupRatio: 0.1}",
            "stages.0.schedule.name=linear",
            "stages.1.schedule.warmupSteps=5");

        Assert.Equal(new ScheduleSection { Name = ScheduleName.Linear, WarmupRatio = 0.1 }, run.Stages[0].Schedule);
        Assert.Equal(new ScheduleSection { Name = ScheduleName.Cosine, WarmupSteps = 5 }, run.Stages[1].Schedule);
    }

    [Fact]
    public void Adapter_none_is_no_adapter() => Assert.Null(Read(SampleYaml.Small, "adapter=none").Adapter);

    [Fact]
    public void Adapter_keys_have_the_aliases_of_peft_and_axolotl()
    {
        var run = Read(SampleYaml.Small.Replace(
            "{ r: 4 }",
            "{ lora_r: 16, lora_alpha: 32, target_modules: [a, b], modules_to_save: score, rslora: true, initFrom: start }",
            StringComparison.Ordinal));

        var adapter = run.Adapter!;
        Assert.Equal((16, 32.0, true, _folder.At("start")), (adapter.Rank, adapter.Alpha, adapter.UseRslora, adapter.InitFrom));
        Assert.Equal(["a", "b"], adapter.TargetModules);
        Assert.Equal(["score"], adapter.ModulesToSave);
    }

    [Fact]
    public void Overrides_win_and_reach_stages_by_index_and_by_name_even_with_dots()
    {
        var run = Read(
            SampleYaml.Small,
            "stages.0.epochs=2",
            "stages.two.b.epochs=3",
            "stages.two.b.data.where=christian >= 0.5",
            "adapter.lora_r=2",
            "trajectory.gradients=false",
            "optimizer.learningRate=5e-5",
            "model.weights=random",
            "seed=-9223372036854775808");

        Assert.Equal([2, 3], run.Stages.Select(stage => stage.Epochs));
        Assert.Equal("christian >= 0.5", run.Stages[1].Dataset.Where);
        Assert.Equal(2, run.Adapter!.Rank);
        Assert.False(run.Trajectory.Gradients);
        Assert.Equal(5e-5, run.Optimizer.LearningRate);
        Assert.Equal(5e-5, run.Stages[0].Optimizer.LearningRate);
        Assert.Equal(ModelWeights.Random, run.Model.Weights);
        Assert.Equal(long.MinValue, run.Seed);
    }

    [Fact]
    public void An_override_by_one_spelling_replaces_the_other_spelling()
    {
        var yaml = SampleYaml.Small.Replace("{ r: 4 }", "{ lora_r: 4 }", StringComparison.Ordinal);

        Assert.Equal(64, Read(yaml, "adapter.r=64").Adapter!.Rank);
    }

    [Fact]
    public void Token_ids_take_the_place_of_text_and_causal_models_need_no_label()
    {
        var yaml = SampleYaml.Small
            .Replace("text: t, label: l", "ids: ids, completion: c, id: key", StringComparison.Ordinal)
            .Replace("sequence-classification", "causal-lm", StringComparison.Ordinal);

        var run = Read(yaml);

        Assert.Equal(ModelTask.CausalLm, run.Model.Task);
        var dataset = run.Stages[0].Dataset;
        Assert.Equal(((string?)null, "ids", "c", "key"), (dataset.Text, dataset.Ids, dataset.Completion, dataset.Id));
    }

    [Fact]
    public void Absolute_paths_stay_and_a_byte_order_mark_is_no_fault()
    {
        var run = Read("\uFEFF" + SampleYaml.Small, "model.path=/models/./m");

        Assert.Equal(Path.GetFullPath("/models/m"), run.Model.Path);
    }

    [Fact]
    public void It_round_trips_through_json_in_the_spelling_of_the_yaml()
    {
        var run = Read(SampleYaml.Run, "stages.race.optimizer={name: adamw, learningRate: 0.1}");

        var json = JsonSerializer.Serialize(run, ArtifactJson.Options);
        var read = JsonSerializer.Deserialize<RunConfiguration>(json, ArtifactJson.Options);
        var again = JsonSerializer.Serialize(read, ArtifactJson.Options);

        Assert.Equal(json, again);
        Assert.Contains("\"task\": \"sequence-classification\"", json, StringComparison.Ordinal);
        Assert.Contains("\"name\": \"adamw\"", json, StringComparison.Ordinal);
        Assert.Contains("\"learningRate\": 0.0001", json, StringComparison.Ordinal);
        Assert.Contains("\"data\": {", json, StringComparison.Ordinal);
        Assert.DoesNotContain("initFrom", json, StringComparison.Ordinal);
    }

    [Fact]
    public void Decimal_commas_of_the_machine_change_nothing()
    {
        var expected = JsonSerializer.Serialize(Read(SampleYaml.Run, "seed=-3"), ArtifactJson.Options);

        using var german = new GermanCulture();

        Assert.Equal(expected, JsonSerializer.Serialize(Read(SampleYaml.Run, "seed=-3"), ArtifactJson.Options));
    }

    private RunConfiguration Read(string yaml, params string[] overrides) =>
        RunConfigurationReader.Read(_folder.Write("run.yaml", yaml), overrides);
}
