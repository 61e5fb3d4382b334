using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Tests.Runs;

namespace LlmStageAudit.Training.Tests.Estimates;

/// <summary>What cannot fit is refused before anything is written; what can is not.</summary>
public sealed class PreflightTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Too_little_disk_is_refused_with_what_is_missing_and_what_to_do()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW, lora: false);
        var path = _folder.At("deep", "run");
        var asked = "";
        var error = Assert.Throws<TrainingException>(() => Train(configuration, path, new MachineLimits
        {
            FreeDiskBytes = where =>
            {
                asked = where;
                return 100_000;
            },
            AvailableMemoryBytes = () => null,
        }));
        Assert.Equal(ErrorKind.Request, error.Kind);
        Assert.Equal(path, asked);
        Assert.StartsWith($"{path}: the run will write ", error.Message, StringComparison.Ordinal);
        Assert.Contains("; 97.7 KiB are free there; expected room", error.Message, StringComparison.Ordinal);
        Assert.Contains("override trajectory.gradients=false", error.Message, StringComparison.Ordinal);
        Assert.Contains("forced start", error.Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(_folder.At("deep")));
    }

    [Fact]
    public void Room_for_all_of_it_is_enough_and_a_byte_less_than_its_files_is_not()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        long need;
        using (var materials = RunMaterials.Gather(configuration, TestDevice.Current))
        {
            var disk = RunDisk.Of(materials);
            need = disk.Bytes + (4096 * disk.Files);
            Assert.Throws<TrainingException>(() => Of(need - 1).CheckDisk("run", materials));
            Of(need).CheckDisk("run", materials);
        }

        Train(configuration, _folder.At("run"), new MachineLimits { FreeDiskBytes = _ => need, AvailableMemoryBytes = () => null });
        Assert.True(RunFolder.IsRun(_folder.At("run")));

        static Preflight Of(long free) => new(new MachineLimits { FreeDiskBytes = _ => free });
    }

    [Fact]
    public void Too_little_memory_is_refused_before_a_weight_is_read()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW, lora: false);
        // Training would fail on the data only after the model is loaded.
        File.Delete(configuration.Stages[0].Dataset.Path);
        var limits = new MachineLimits { FreeDiskBytes = _ => null, AvailableMemoryBytes = () => 1000 };
        var error = Assert.Throws<TrainingException>(() => Train(configuration, _folder.At("run"), limits));
        Assert.Contains("of memory; 1.0 KiB are available", error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Request, error.Kind);
        Assert.False(Path.Exists(_folder.At("run")));
    }

    [Fact]
    public void The_least_memory_is_the_frozen_weights_and_eight_vectors_under_adamw()
    {
        var full = TinyRun.Write(_folder, TinyRun.AdamW, lora: false);
        var (model, state) = Load(full.Model.Path);
        var parameters = model.Layout.Count;
        model.Dispose();
        state.Dispose();
        var footprint = RunMaterials.Footprint(full);
        Assert.Equal(new ModelFootprint(0, parameters), footprint);
        // Initial state, gradient, and theta with two moments before and after the update.
        Assert.Equal(parameters * 4 * 8, Preflight.MemoryFloorBytes(footprint, full));

        var lora = TinyRun.Write(_folder, TinyRun.Sgd);
        using var materials = RunMaterials.Gather(lora, TestDevice.Current);
        var small = RunMaterials.Footprint(lora);
        Assert.Equal(materials.Model.Layout.Count, small.TrainableCount);
        // The base without the head, which trains along.
        Assert.Equal((parameters - (2 * 16)) * 4, small.FrozenBytes);
        Assert.Equal(small.FrozenBytes + (small.TrainableCount * 4 * 6), Preflight.MemoryFloorBytes(small, lora));
    }

    [Fact]
    public void A_run_that_goes_on_needs_room_for_its_rest_only()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        var path = _folder.At("run");
        TinyTraining.TrainUntil(8, configuration, path);
        using var materials = RunMaterials.Gather(configuration, TestDevice.Current);
        var disk = RunDisk.Of(materials);
        var there = new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        var rest = disk.Bytes - there + (4096 * disk.Files);
        // The lock file names the process that looks.
        Assert.Throws<TrainingException>(() => Resume(rest - 200));
        Assert.Equal(RunState.Stopped, RunFolder.Open(path).ReadManifest().State);
        Assert.Equal(RunState.Completed, Resume(rest).State);

        RunManifest Resume(long free) => RunTrainer.Resume(
            path,
            null,
            TestDevice.Current,
            null,
            default,
            new Preflight(new MachineLimits { FreeDiskBytes = _ => free, AvailableMemoryBytes = () => null }));
    }

    [Fact]
    public void Retrainings_are_counted_together()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        TinyTraining.Train(configuration, _folder.At("run"));
        using var parent = TrainedRun.Open(_folder.At("run"), TestDevice.Current);
        var need = new[] { 0, 2 }.Select(stage => RunDisk.Without(parent.Materials, parent.Folder.Root, stage)).Sum(disk => disk.Bytes + (4096 * disk.Files));
        Assert.Throws<TrainingException>(() => Check(need - 1));
        Check(need);

        void Check(long free) =>
            new Preflight(new MachineLimits { FreeDiskBytes = _ => free }).CheckRetraining("plan.json", parent, [0, 2]);
    }

    [Fact]
    public void Where_the_system_says_nothing_nothing_is_refused() =>
        Assert.Equal(RunState.Completed, Train(
            TinyRun.Write(_folder, TinyRun.Sgd),
            _folder.At("run"),
            new MachineLimits { FreeDiskBytes = _ => null, AvailableMemoryBytes = () => null }).State);

    public void Dispose() => _folder.Dispose();

    private static RunManifest Train(Records.Configuration.RunConfiguration configuration, string path, MachineLimits limits) =>
        RunTrainer.Train(configuration, path, TestDevice.Current, null, default, preflight: new Preflight(limits));

    private static (LanguageModel Model, Tensor State) Load(string path) =>
        TinyModel.Load(path, Records.Configuration.ModelTask.SequenceClassification, dtype: float32);
}
