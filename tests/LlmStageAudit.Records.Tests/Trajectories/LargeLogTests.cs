using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Records.Tests.Trajectories;

/// <summary>A log of many steps with large batches is opened in memory that does not know the ids' texts over and over.</summary>
/// <remarks>Alone, for what is kept is told from the memory of the whole process.</remarks>
[Collection(nameof(LargeLogTests))]
[CollectionDefinition(nameof(LargeLogTests), DisableParallelization = true)]
public sealed class LargeLogTests : IDisposable
{
    private const int Records = 20_000;
    private const int BatchSize = 50;
    private const int Rows = 2_000;

    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public LargeLogTests()
    {
        _path = _folder.At("large.log");
        var ids = Enumerable.Range(0, Rows).Select(row => $"a-row-of-a-large-data-set-{row:000000}").ToArray();
        using var writer = TrajectoryWriter.Create(_path, "g");
        for (var step = 1; step <= Records; step++)
        {
            var first = step * 37;
            writer.Append(
                new StepRecord
                {
                    Step = step,
                    StageStep = step,
                    Epoch = step / 40,
                    LearningRate = 1e-4,
                    LossNats = 1.0 / step,
                    GradientNorm = 1,
                    BatchIds = [.. Enumerable.Range(0, BatchSize).Select(i => ids[(first + i) % Rows])],
                },
                new byte[16]);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_open_log_keeps_a_few_hundred_bytes_per_step()
    {
        using (TrajectoryReader.Open(_path, "g"))
        {
            // Fills what lives on in the process.
        }

        // Where less is kept than before, something else of the process was let go meanwhile: measured again.
        var measured = Measure();
        for (var tries = 0; measured.Kept < 0 && tries < 3; tries++) measured = Measure();

        // 4 bytes per id, 24 for the list they stand in, about 100 for the rest; lists of doubled capacity. Texts would be 90 bytes per id.
        Assert.InRange(measured.Kept / Records, 50, 550);
        Assert.InRange(measured.Allocated / Records, 50, 1000);

        (long Kept, long Allocated) Measure()
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            using var reader = TrajectoryReader.Open(_path, "g");
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
            Assert.Equal(Records, reader.Steps.Count);
            Assert.Equal("a-row-of-a-large-data-set-000037", reader.Steps[0].BatchIds[0]);
            Assert.Equal(BatchSize, reader.Steps[^1].BatchIds.Count);
            return (kept, allocated);
        }
    }

    [Fact]
    public void Steps_outlive_the_reader()
    {
        IReadOnlyList<StepRecord> steps;
        using (var reader = TrajectoryReader.Open(_path, "g")) steps = reader.Steps;
        Assert.Equal(Enumerable.Range(1, Records), steps.Select(step => step.Step));
        Assert.Equal(1.0 / Records, steps[^1].LossNats);
    }
}
