using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Training.Tests.Runs;

public sealed class RunEngineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly int _threads = get_num_threads();

    public void Dispose()
    {
        set_num_threads(_threads);
        _folder.Dispose();
    }

    [Fact]
    public void Describing_the_engine_twice_gives_the_same_record()
    {
        var engine = RunEngine.Describe(CPU);
        Assert.True(ArtifactJson.AreEqual(engine, RunEngine.Describe(CPU)));
        Assert.Empty(RunEngine.Differences(engine, RunEngine.Describe(CPU)));
        Assert.True(engine.InteropThreads >= 1);
        Assert.False(string.IsNullOrEmpty(engine.CpuCapability));
        Assert.False(string.IsNullOrEmpty(engine.Processor));
    }

    [Fact]
    public void Every_field_that_bits_depend_on_is_compared()
    {
        var engine = RunEngine.Describe(CPU) with { Blas = "one" };
        foreach (var property in typeof(EngineRecord).GetProperties().Where(property => property.CanWrite && property.Name != "Allocator"))
        {
            var other = engine with { };
            property.SetValue(other, property.GetValue(engine) switch
            {
                string text => text + " of another kind",
                int number => number + 1,
                bool flag => !flag,
                IReadOnlyList<string> list => (object)(string[])[.. list, "OMP_NUM_THREADS=77"],
                var value => throw new InvalidOperationException($"{property.Name}: {value}"),
            });
            var difference = Assert.Single(RunEngine.Differences(engine, other));
            Assert.Contains(", here ", difference, StringComparison.Ordinal);
            Assert.Single(RunEngine.Differences(other, engine));
        }
    }

    [Fact]
    public void The_allocator_is_recorded_and_no_difference()
    {
        var engine = RunEngine.Describe(CPU);
        Assert.False(string.IsNullOrEmpty(engine.Allocator));
        Assert.Empty(RunEngine.Differences(engine, engine with { Allocator = "another" }));
    }

    [Fact]
    public void What_an_older_version_did_not_record_is_no_difference()
    {
        var here = RunEngine.Describe(CPU);
        var older = new EngineRecord
        {
            LibTorchVersion = here.LibTorchVersion,
            Threads = here.Threads,
            Device = here.Device,
            Machine = here.Machine,
            Runtime = here.Runtime,
        };
        Assert.Empty(RunEngine.Differences(older, here));
        Assert.Equal([$"threads 77, here {here.Threads}"], RunEngine.Differences(older with { Threads = 77 }, here));
    }

    [Fact]
    public void Threads_are_those_the_engine_was_told()
    {
        foreach (var count in new[] { 2, 1 })
        {
            TorchEngine.Threads = count;
            Assert.Equal(count, TorchEngine.Threads);
            Assert.Equal(count, RunEngine.Describe(CPU).Threads);
        }
    }

    [Fact]
    public void A_run_that_another_engine_went_on_with_lists_it()
    {
        set_num_threads(1);
        var configuration = TinyRun.Write(_folder, TinyRun.Sgd);
        TinyTraining.TrainUntil(3, configuration, _folder.At("run"));
        TinyTraining.Copy(_folder.At("run"), _folder.At("same"));
        Assert.Null(TinyTraining.Resume(_folder.At("same")).LaterEngines);

        set_num_threads(2);
        var run = TinyTraining.Resume(_folder.At("run"));
        Assert.Equal(1, run.Engine.Threads);
        Assert.Equal(2, Assert.Single(run.LaterEngines!).Threads);
        Assert.Contains("threads 1, here 2", RunEngine.Differences(run, TestDevice.Current ?? CPU));
        set_num_threads(1);
        Assert.Contains("threads 2, here 1", RunEngine.Differences(run, TestDevice.Current ?? CPU));
    }
}
