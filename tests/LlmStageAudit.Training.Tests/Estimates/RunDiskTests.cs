using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Training.Tests.Estimates;

/// <summary>The bytes a run folder will have, against those it has.</summary>
public sealed class RunDiskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Foretells_the_run_folder(bool lora, bool gradients)
    {
        var configuration = TinyRun.Write(_folder, lora ? TinyRun.Sgd : TinyRun.AdamW, lora) with
        {
            Trajectory = new TrajectorySection { Gradients = gradients },
        };
        var foretold = Foretold(configuration);
        var manifest = RunTrainer.Train(configuration, _folder.At("run"), TestDevice.Current, null, default);

        var folder = RunFolder.Open(_folder.At("run"));
        foreach (var (index, stage) in foretold.Stages.Index())
        {
            Assert.Equal(SizeOf(folder.StageStateFolder(index, stage.Stage)), stage.StateBytes);
            var log = new FileInfo(folder.TrajectoryPath(index, stage.Stage)).Length;
            // Two numbers a step have digits that only training finds, of some 250 bytes a step and more.
            Assert.InRange(stage.LogBytes, log * 0.99, log * 1.01);
            Assert.Equal(gradients ? manifest.ParameterCount * 4 * manifest.Stages[index].Steps : 0, stage.GradientBytes);
        }

        var written = SizeOf(folder.Root);
        Assert.InRange(foretold.Bytes, written * 0.995, written * 1.005);
        var files = Directory.GetFiles(folder.Root, "*", SearchOption.AllDirectories).Count(file => new FileInfo(file).Length > 0);
        Assert.Equal(files, foretold.Files);
    }

    [Fact]
    public void Foretells_a_run_without_a_stage_from_the_run_and_from_its_configuration()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW);
        using var materials = RunMaterials.Gather(configuration, TestDevice.Current);
        RunTrainer.Train(configuration, _folder.At("run"), TestDevice.Current, null, default);
        using var parent = TrainedRun.Open(_folder.At("run"), TestDevice.Current);
        for (var stage = 0; stage < 3; stage++)
        {
            var path = _folder.At($"without-{stage}");
            RunTrainer.TrainWithout(parent, configuration.Stages[stage].Name, path, null, default);
            var written = SizeOf(path);
            var foretold = RunDisk.Without(parent.Materials, parent.Folder.Root, stage);
            Assert.Equal(2 - stage, foretold.Stages.Count);
            Assert.InRange(foretold.Bytes, written * 0.995, written * 1.005);
            Assert.Equal(foretold.Bytes, RunDisk.Without(materials, parent.Folder.Root, stage).Bytes);
        }
    }

    [Fact]
    public void Each_step_more_takes_its_gradient_and_its_record_more()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        var once = Foretold(configuration);
        var twice = Foretold(
            configuration with { Stages = [configuration.Stages[0] with { Epochs = 4 }, .. configuration.Stages.Skip(1)] });
        Assert.Equal(2 * once.Stages[0].GradientBytes, twice.Stages[0].GradientBytes);
        Assert.Equal(once.Stages[0].StateBytes, twice.Stages[0].StateBytes);
        Assert.Equal(once.Stages[1].GradientBytes, twice.Stages[1].GradientBytes);
        Assert.True(
            twice.Stages[0].LogBytes - twice.Stages[0].GradientBytes
            > 1.9 * (once.Stages[0].LogBytes - once.Stages[0].GradientBytes));
    }

    public void Dispose() => _folder.Dispose();

    private static RunDisk Foretold(RunConfiguration configuration)
    {
        using var materials = RunMaterials.Gather(configuration, TestDevice.Current);
        return RunDisk.Of(materials);
    }

    private static long SizeOf(string folder) =>
        new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
}
