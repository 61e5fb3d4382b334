using LlmStageAudit.Auditing.Forecasts;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Tests.Forecasts;

/// <summary>A run in small is a run: trained by the loop, read like any other, and gone afterwards.</summary>
public sealed class SampledRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Is_a_completed_run_with_the_longest_batch_of_every_kind_and_leaves_nothing(bool gradients)
    {
        var configuration = TinyRun.Write(_folder, TinyRun.AdamW) with { Trajectory = new TrajectorySection { Gradients = gradients } };
        using var materials = RunMaterials.Gather(configuration, TestDevice.Current);
        var before = Entries();
        using (var sampled = new SampledRun(configuration, materials, _folder.At("runs", "run"), 0, default))
        {
            Assert.NotEqual(before, Entries());
            Assert.Equal(RunState.Completed, RunFolder.Open(sampled.Run.Folder.Root).ReadManifest().State);
            Assert.Equal(sampled.Steps.Count, sampled.Run.Programs.Sum(program => program.Steps.Count));
            foreach (var kind in sampled.Stages.GroupBy(stage => stage.Kind))
            {
                var steps = sampled.Steps.Where(step => step.Stage.Kind == kind.Key).ToArray();
                Assert.Equal(kind.Max(stage => stage.StepTokens.Max()), steps.Max(step => step.Tokens));
                Assert.All(kind, stage => Assert.True(sampled.TrainSeconds(stage) >= sampled.GradientSeconds(stage.Steps)));
            }

            for (var stage = 0; stage < sampled.Run.Programs.Count; stage++)
            {
                using var log = sampled.Run.OpenLog(stage);
                Assert.Equal(gradients, log.HasGradients);
                Assert.Equal(sampled.Run.Programs[stage].Steps.Count, log.Steps.Count);
            }
        }

        Assert.Equal(before, Entries());
    }

    [Fact]
    public void Time_buys_typical_steps_of_two_stages_where_all_are_alike()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        configuration = configuration with { Stages = [.. configuration.Stages.Select(stage => stage with { MicroBatchSize = null })] };
        using var materials = RunMaterials.Gather(configuration, TestDevice.Current);
        using var least = new SampledRun(configuration, materials, _folder.At("run"), 0, default);
        using var most = new SampledRun(configuration, materials, _folder.At("run"), 1e6, default);
        Assert.All(new[] { least, most }, sampled => Assert.InRange(sampled.Run.Programs.Count, 2, 3));
        Assert.Equal(2 * least.Run.Programs.Count, least.Steps.Count(step => step.IsTypical));
        Assert.Equal(8 * most.Run.Programs.Count, most.Steps.Count(step => step.IsTypical));
    }

    [Fact]
    public void Costs_are_fitted_kind_by_kind()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        using var materials = RunMaterials.Gather(configuration, TestDevice.Current);
        using var sampled = new SampledRun(configuration, materials, _folder.At("run"), 0, default);
        var costs = sampled.Fit(sampled.Steps.Select(step => step.Tokens * (step.Stage.Section.MicroBatchSize ?? 1.0)), _ => true);
        Assert.Equal(2, costs.Count);
        foreach (var step in sampled.Steps)
            Assert.Equal(step.Tokens * (step.Stage.Section.MicroBatchSize ?? 1.0), costs[step.Stage.Kind].Seconds(step.Tokens), 6);
    }

    [Fact]
    public void What_training_refuses_is_refused_as_training_does_and_nothing_is_left()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd) with { Probes = [_folder.At("absent.yaml")] };
        using var materials = RunMaterials.Gather(configuration, TestDevice.Current);
        var before = Entries();
        var refused = Assert.ThrowsAny<AuditException>(() => new SampledRun(configuration, materials, _folder.At("run"), 0, default));
        Assert.Contains("absent.yaml", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, Entries());
    }

    [Fact]
    public async Task Cancelled_in_the_middle_it_is_cancelled_and_leaves_nothing()
    {
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        using var materials = RunMaterials.Gather(configuration, TestDevice.Current);
        var before = Entries();
        // A quick machine may be through before it is stopped: then once more.
        while (!await Cancelled()) Assert.Equal(before, Entries());
        Assert.Equal(before, Entries());

        async Task<bool> Cancelled()
        {
            using var cancellation = new CancellationTokenSource();
            using var over = new CancellationTokenSource();
            var watched = Task.Run(() =>
            {
                while (Entries().Length == before.Length && !over.IsCancellationRequested) Thread.Yield();
                cancellation.Cancel();
            });
            try
            {
                new SampledRun(configuration, materials, _folder.At("run"), 1e6, cancellation.Token).Dispose();
                return false;
            }
            catch (OperationCanceledException)
            {
                return true;
            }
            finally
            {
                over.Cancel();
                await watched;
            }
        }
    }

    public void Dispose() => _folder.Dispose();

    private string[] Entries() => [.. Directory.GetFileSystemEntries(_folder.Path).Order()];
}
