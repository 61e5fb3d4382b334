using System.Buffers;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Records.Tests.Trajectories;

public sealed class BackgroundTrajectoryWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_writes_the_bytes_that_writing_in_the_foreground_gives()
    {
        var expected = SampleLog.Write(_folder, 50, "expected.log");
        var path = _folder.At("log");
        using var writer = new BackgroundTrajectoryWriter(TrajectoryWriter.Create(path, SampleLog.Genesis));

        for (var step = 1; step <= 50; step++) Enqueue(writer, step);
        writer.Complete();

        Assert.Equal(File.ReadAllBytes(expected), File.ReadAllBytes(path));
        Assert.Equal((50, new FileInfo(expected).Length - 16), (writer.Count, writer.WrittenBytes));
        Assert.True(writer.WriteSeconds > 0);
        using var reader = TrajectoryReader.Open(path, SampleLog.Genesis);
        Assert.Equal(reader.HeadHash, writer.HeadHash);
    }

    [Fact]
    public void After_a_flush_everything_before_it_can_be_read()
    {
        var path = _folder.At("log");
        using var writer = new BackgroundTrajectoryWriter(TrajectoryWriter.Create(path, SampleLog.Genesis));

        for (var step = 1; step <= 20; step++)
        {
            Enqueue(writer, step);
            if (step % 5 != 0) continue;
            writer.Flush();
            Assert.Equal(step, writer.Count);
            Assert.Equal(step, SampleLog.ReadAll(path));
        }
    }

    [Fact]
    public void What_was_written_reaches_the_disk_after_the_interval_though_nothing_follows()
    {
        var path = _folder.At("log");
        using var writer = new BackgroundTrajectoryWriter(TrajectoryWriter.Create(path, SampleLog.Genesis), TimeSpan.FromMilliseconds(50));
        Enqueue(writer, 1);
        Assert.True(SpinWait.SpinUntil(() => new FileInfo(path).Length > 16, TimeSpan.FromSeconds(30)));
        Enqueue(writer, 2);
        Enqueue(writer, 3);
        Assert.True(SpinWait.SpinUntil(() => SampleLog.ReadAll(path) == 3, TimeSpan.FromSeconds(30)));
        writer.Complete();
        Assert.Equal(3, writer.Count);
    }

    [Fact]
    public void Disposing_writes_what_waits()
    {
        var path = _folder.At("log");
        using (var writer = new BackgroundTrajectoryWriter(TrajectoryWriter.Create(path, SampleLog.Genesis)))
        {
            for (var step = 1; step <= 6; step++) Enqueue(writer, step);
        }

        Assert.Equal(6, SampleLog.ReadAll(path));
    }

    [Fact]
    public void What_goes_wrong_on_its_thread_surfaces_on_the_next_calls_and_nothing_hangs()
    {
        var path = _folder.At("log");
        using var writer = new BackgroundTrajectoryWriter(TrajectoryWriter.Create(path, SampleLog.Genesis));
        Enqueue(writer, 1);
        Enqueue(writer, 1);

        Assert.Throws<ArgumentException>(() =>
        {
            for (var step = 2; step <= 1000; step++) Enqueue(writer, step);
        });
        Assert.Throws<ArgumentException>(writer.Flush);
        Assert.Throws<ArgumentException>(writer.Complete);

        writer.Dispose();
        Assert.Equal(1, SampleLog.ReadAll(path));
        Assert.Throws<ObjectDisposedException>(() => Enqueue(writer, 2));
    }

    [Fact]
    public void Nothing_follows_completion()
    {
        using var writer = new BackgroundTrajectoryWriter(TrajectoryWriter.Create(_folder.At("log"), SampleLog.Genesis));
        writer.Complete();
        writer.Complete();

        Assert.Throws<InvalidOperationException>(() => Enqueue(writer, 1));
        Assert.Throws<InvalidOperationException>(writer.Flush);
    }

    private static void Enqueue(BackgroundTrajectoryWriter writer, int step)
    {
        var rented = ArrayPool<byte>.Shared.Rent(SampleLog.GradientBytes);
        SampleLog.Gradient(step).CopyTo(rented, 0);
        writer.Enqueue(SampleLog.Step(step), rented, SampleLog.GradientBytes);
    }
}
