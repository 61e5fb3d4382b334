using System.Security.Cryptography;
using System.Text;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Records.Tests.Trajectories;

public sealed class TrajectoryRoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Steps_and_gradients_read_back_as_written()
    {
        var path = SampleLog.Write(_folder, 5);

        using var reader = TrajectoryReader.Open(path, SampleLog.Genesis);
        Assert.Equal((5, 12), (reader.Count, reader.GradientBytes));
        var gradient = new byte[12];
        foreach (var index in new[] { 4, 0, 2, 1, 3 })
        {
            SampleLog.AssertSame(SampleLog.Step(index + 1), reader.Steps[index]);
            reader.ReadGradient(index, gradient);
            Assert.Equal(SampleLog.Gradient(index + 1), gradient);
        }

        reader.Verify();
    }

    [Fact]
    public void The_bytes_are_the_documented_ones()
    {
        var path = SampleLog.Write(_folder, 2);

        var bytes = File.ReadAllBytes(path);
        Assert.Equal([.. "SATRAJ01"u8, 1, 0, 0, 0, 0, 0, 0, 0], bytes[..16]);
        var at = 16;
        var previous = SHA256.HashData(Encoding.UTF8.GetBytes(SampleLog.Genesis));
        for (var step = 1; step <= 2; step++)
        {
            Assert.Equal(0x53544550u, BitConverter.ToUInt32(bytes, at));
            var header = BitConverter.ToInt32(bytes, at + 4);
            Assert.Equal(12, BitConverter.ToInt64(bytes, at + 8));
            var json = Encoding.UTF8.GetString(bytes, at + 16, header);
            Assert.StartsWith($$"""{"step":10{{step}},"stageStep":{{step}},"epoch":0,""", json, StringComparison.Ordinal);
            Assert.Equal(SampleLog.Gradient(step), bytes[(at + 16 + header)..(at + 28 + header)]);
            var end = at + 28 + header;
            previous = SHA256.HashData([.. previous, .. bytes[at..end]]);
            Assert.Equal(previous, bytes[end..(end + 32)]);
            at = end + 32;
        }

        Assert.Equal(bytes.Length, at);
        using var reader = TrajectoryReader.Open(path, SampleLog.Genesis);
        Assert.Equal(Convert.ToHexStringLower(previous), reader.HeadHash);
    }

    [Fact]
    public void A_log_without_steps_or_without_gradients_is_a_log()
    {
        using (var empty = TrajectoryReader.Open(SampleLog.Write(_folder, 0), SampleLog.Genesis))
        {
            Assert.Empty(empty.Steps);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(SampleLog.Genesis))), empty.HeadHash);
        }

        var path = _folder.At("bare.log");
        using (var writer = TrajectoryWriter.Create(path, "g"))
        {
            writer.Append(SampleLog.Step(1), []);
            writer.Append(SampleLog.Step(2), []);
        }

        Assert.Equal(2, SampleLog.ReadAll(path, "g"));
    }

    [Fact]
    public void Decimal_commas_of_the_machine_change_no_byte()
    {
        var expected = File.ReadAllBytes(SampleLog.Write(_folder, 3, "a.log"));

        using var german = new GermanCulture();

        var path = SampleLog.Write(_folder, 3, "b.log");
        Assert.Equal(expected, File.ReadAllBytes(path));
        Assert.Equal(3, SampleLog.ReadAll(path));
    }

    [Fact]
    public void Going_on_gives_the_bytes_of_writing_at_once()
    {
        var whole = File.ReadAllBytes(SampleLog.Write(_folder, 4, "whole.log"));
        var path = SampleLog.Write(_folder, 2);

        using (var writer = TrajectoryWriter.OpenForAppend(path, SampleLog.Genesis))
        {
            Assert.Equal(2, writer.Count);
            writer.Append(SampleLog.Step(3), SampleLog.Gradient(3));
            writer.Append(SampleLog.Step(4), SampleLog.Gradient(4));
            Assert.Equal((4, whole.Length), (writer.Count, writer.SizeBytes));
        }

        Assert.Equal(whole, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_torn_tail_is_cut_back_to_the_last_whole_record_wherever_it_was_torn()
    {
        var whole = File.ReadAllBytes(SampleLog.Write(_folder, 3, "whole.log"));
        var ends = new[] { 0, 1, 2, 3 }.Select(count => new FileInfo(SampleLog.Write(_folder, count, $"{count}.log")).Length).ToArray();
        var path = _folder.At("torn.log");
        for (var length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            var remaining = Math.Max(0, ends.Count(end => end <= length) - 1);

            using (var writer = TrajectoryWriter.OpenForAppend(path, SampleLog.Genesis)) Assert.Equal(remaining, writer.Count);

            Assert.Equal(whole[..(int)ends[remaining]], File.ReadAllBytes(path));
        }
    }

    [Fact]
    public void Records_beyond_the_saved_state_are_cut_even_where_they_are_damaged()
    {
        var path = SampleLog.Write(_folder, 3);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);

        using (var writer = TrajectoryWriter.OpenForAppend(path, SampleLog.Genesis, keepRecords: 2)) Assert.Equal(2, writer.Count);

        Assert.Equal(2, SampleLog.ReadAll(path));
        var exception = Assert.Throws<TrajectoryException>(() => TrajectoryWriter.OpenForAppend(path, SampleLog.Genesis, keepRecords: 3));
        Assert.Contains("2 whole records; expected at least 3", exception.Message, StringComparison.Ordinal);
        Assert.Equal(2, SampleLog.ReadAll(path));
    }

    [Fact]
    public void A_writer_refuses_what_cannot_follow()
    {
        var path = SampleLog.Write(_folder, 2);
        using var writer = TrajectoryWriter.OpenForAppend(path, SampleLog.Genesis);

        Assert.Throws<ArgumentException>(() => writer.Append(SampleLog.Step(2), SampleLog.Gradient(2)));
        Assert.Throws<ArgumentException>(() => writer.Append(SampleLog.Step(3), new byte[8]));
        Assert.Throws<ArgumentException>(() => writer.Append(SampleLog.Step(3), new byte[13]));
        writer.Append(SampleLog.Step(3), SampleLog.Gradient(3));
        writer.Flush();

        Assert.Equal(3, SampleLog.ReadAll(path));
        Assert.Contains(
            "exists already",
            Assert.Throws<TrajectoryException>(() => TrajectoryWriter.Create(path, "g")).Message,
            StringComparison.Ordinal);
    }
}
