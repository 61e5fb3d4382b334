using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Records.Tests.Trajectories;

public sealed class LogSummaryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_whole_log_in_numbers()
    {
        var path = SampleLog.Write(_folder, 5);
        var summary = LogSummary.Read(path);
        Assert.Equal(
            (1, 5, 12, new FileInfo(path).Length, 0L),
            (summary.Version, summary.Records, summary.GradientBytes, summary.SizeBytes, summary.TornBytes));
        SampleLog.AssertSame(SampleLog.Step(1), summary.First!);
        SampleLog.AssertSame(SampleLog.Step(5), summary.Last!);
        using var reader = TrajectoryReader.Open(path, SampleLog.Genesis);
        Assert.Equal(reader.HeadHash, summary.HeadHash);
        Assert.Null(summary.Fault);
    }

    [Fact]
    public void An_empty_log_has_no_steps()
    {
        var summary = LogSummary.Read(SampleLog.Write(_folder, 0));
        Assert.Equal((0, 0L, null, null), (summary.Records, summary.TornBytes, summary.First, summary.HeadHash));
        Assert.Null(LogSummary.IsOf(_folder.At("trajectory.log"), SampleLog.Genesis));
    }

    [Fact]
    public void What_is_cut_off_anywhere_is_a_torn_tail()
    {
        var whole = File.ReadAllBytes(SampleLog.Write(_folder, 3, "whole.log"));
        var second = new FileInfo(SampleLog.Write(_folder, 2, "two.log")).Length;
        var path = _folder.At("torn.log");
        for (var length = (int)second; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            var summary = LogSummary.Read(path);
            Assert.Equal((2, length - second, null), (summary.Records, summary.TornBytes, summary.Fault));
            Assert.Equal(102, summary.Last!.Step);
        }
    }

    [Fact]
    public void What_is_no_record_is_named_and_what_is_before_it_counts()
    {
        var path = SampleLog.Write(_folder, 3);
        var second = (int)new FileInfo(SampleLog.Write(_folder, 2, "two.log")).Length;
        var bytes = File.ReadAllBytes(path);
        bytes[second] ^= 1;
        File.WriteAllBytes(path, bytes);
        var summary = LogSummary.Read(path);
        Assert.Equal((2, "no record starts here"), (summary.Records, summary.Fault));
    }

    [Fact]
    public void The_first_record_tells_the_run_and_stage()
    {
        var path = SampleLog.Write(_folder, 2);
        Assert.True(LogSummary.IsOf(path, SampleLog.Genesis));
        Assert.False(LogSummary.IsOf(path, "run 0f3a, stage race"));
    }

    [Fact]
    public void A_log_is_known_by_its_first_bytes()
    {
        Assert.True(LogSummary.IsLog(SampleLog.Write(_folder, 0)));
        Assert.False(LogSummary.IsLog(_folder.Write("other.log", "SATRAJ0")));
        Assert.False(LogSummary.IsLog(_folder.Write("other.json", "{ \"kind\": \"run\" }")));
        Assert.False(LogSummary.IsLog(_folder.At("none.log")));
    }

    [Fact]
    public void Gradients_are_passed_over()
    {
        // Four megabytes in each of thirty records: read, they would take far more than the bytes allowed here.
        var path = _folder.At("wide.log");
        var gradient = new byte[4 << 20];
        using (var writer = TrajectoryWriter.Create(path, "g"))
        {
            for (var step = 1; step <= 30; step++) writer.Append(SampleLog.Step(step), gradient);
        }

        var before = BytesRead();
        Assert.Equal(30, LogSummary.Read(path).Records);
        var summarized = BytesRead();
        using (var reader = TrajectoryReader.Open(path, "g")) Assert.Equal(30, reader.Count);
        var opened = BytesRead();
        if (before is null) return;
        Assert.InRange(summarized!.Value - before.Value, 1, 3 << 20);
        // Opening checks the first record, whose gradient is read.
        Assert.InRange(opened!.Value - summarized.Value, 4 << 20, 8 << 20);
    }

    // What the process has asked the system to read so far; null where it does not say.
    private static long? BytesRead()
    {
        const string key = "rchar:";
        if (!File.Exists("/proc/self/io")) return null;
        return long.Parse(
            File.ReadLines("/proc/self/io").First(line => line.StartsWith(key, StringComparison.Ordinal))[key.Length..],
            System.Globalization.CultureInfo.InvariantCulture);
    }
}
