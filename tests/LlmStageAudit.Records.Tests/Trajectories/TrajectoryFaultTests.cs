using FsCheck.Fluent;
using FsCheck.Xunit;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Records.Tests.Trajectories;

public sealed class TrajectoryFaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;
    private readonly byte[] _bytes;
    private readonly int _first;
    private readonly int _second;
    private readonly int _third;

    public TrajectoryFaultTests()
    {
        _path = SampleLog.Write(_folder, 3);
        _bytes = File.ReadAllBytes(_path);
        _first = 16;
        _second = (int)new FileInfo(SampleLog.Write(_folder, 1, "1.log")).Length;
        _third = (int)new FileInfo(SampleLog.Write(_folder, 2, "2.log")).Length;
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_single_bit_of_the_file_is_covered()
    {
        for (var at = 0; at < _bytes.Length; at++)
        {
            var changed = (byte[])_bytes.Clone();
            changed[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(_path, changed);

            Assert.Throws<TrajectoryException>(() => SampleLog.ReadAll(_path));
        }
    }

    [Fact]
    public void A_changed_header_is_found()
    {
        var at = _second + 16 + "{\"step\":102,\"stageStep\":2,\"epoch\":".Length;
        Assert.Equal((byte)'0', _bytes[at]);

        AssertRefused(Changed(at, (byte)'3'), 2, _second, "the hash does not match the record");
    }

    [Fact]
    public void A_changed_gradient_is_found_when_it_is_read()
    {
        File.WriteAllBytes(_path, Changed(_third - 33, 0xAA));
        using var reader = TrajectoryReader.Open(_path, SampleLog.Genesis);
        var gradient = new byte[12];

        reader.ReadGradient(0, gradient);
        var exception = Assert.Throws<TrajectoryException>(() => reader.ReadGradient(1, gradient));

        Assert.Contains($"record 2, byte {_second}: the hash does not match", exception.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Input, exception.Kind);
    }

    [Fact]
    public void A_changed_hash_is_found() =>
        AssertRefused(Changed(_bytes.Length - 1, (byte)~_bytes[^1]), 3, _third, "the hash does not match the record");

    [Fact]
    public void A_record_whose_hash_was_made_to_fit_is_found_by_the_next()
    {
        var other = _folder.At("other.log");
        using (var writer = TrajectoryWriter.Create(other, SampleLog.Genesis))
        {
            writer.Append(SampleLog.Step(1), SampleLog.Gradient(1));
            writer.Append(SampleLog.Step(2), SampleLog.Gradient(7));
        }

        AssertRefused([.. File.ReadAllBytes(other), .. _bytes[_third..]], 3, _third, "the hash does not match the record");
    }

    [Fact]
    public void Swapped_missing_and_doubled_records_are_found()
    {
        var (preamble, one, two, three) = (_bytes[..16], _bytes[_first.._second], _bytes[_second.._third], _bytes[_third..]);

        AssertRefused([.. preamble, .. one, .. three, .. two], 3, 0, "step 102 after step 103");
        AssertRefused([.. preamble, .. two, .. one, .. three], 1, 16, "the hash does not match the record");
        AssertRefused([.. preamble, .. one, .. three], 2, _second, "the hash does not match the record");
        AssertRefused([.. preamble, .. two, .. three], 1, 16, "the hash does not match the record");
        AssertRefused([.. preamble, .. one, .. one], 2, _second, "step 101 after step 101");
    }

    [Fact]
    public void The_log_of_another_run_or_stage_is_refused_on_opening()
    {
        var exception = Assert.Throws<TrajectoryException>(() => TrajectoryReader.Open(_path, "run 0f3a, stage race"));

        Assert.Contains("record 1, byte 16: the hash does not match", exception.Message, StringComparison.Ordinal);
        Assert.Contains("belongs to another run or stage", exception.Message, StringComparison.Ordinal);
        Assert.Throws<TrajectoryException>(() => TrajectoryWriter.OpenForAppend(_path, "run 0f3a, stage race"));
        Assert.Equal(_bytes, File.ReadAllBytes(_path));
    }

    [Fact]
    public void A_torn_tail_is_refused_by_a_reader() =>
        AssertRefused(_bytes[..^1], 3, _third, "the file ends inside a record");

    [Theory]
    [InlineData(0, "no record starts here")]
    [InlineData(4, "a header of 4294967295 bytes")]
    [InlineData(8, "a gradient of 4294967295 bytes")]
    [InlineData(12, "a gradient of 18446744069414584332 bytes")]
    public void Framing_is_bounded(int at, string expected)
    {
        var changed = (byte[])_bytes.Clone();
        changed.AsSpan(_second + at, 4).Fill(0xFF);

        AssertRefused(changed, 2, _second, expected);
    }

    [Fact]
    public void Gradients_are_of_one_length()
    {
        AssertRefused(Changed(_second + 8, 16), 2, _second, "a gradient of 16 bytes after one of 12 bytes");
    }

    [Theory]
    [InlineData("")]
    [InlineData("SATRAJ01")]
    [InlineData("SATRAJ01\u0002\0\0\0\0\0\0\0")]
    [InlineData("{ \"kind\": \"run\", \"schemaVersion\": 1 }")]
    public void Another_file_is_refused(string content)
    {
        var path = _folder.Write("other.log", content);

        var exception = Assert.Throws<TrajectoryException>(() => TrajectoryReader.Open(path, SampleLog.Genesis));

        Assert.Contains("byte 0: not the preamble of a trajectory log", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var path = _folder.At("none.log");

        Assert.Contains(
            $"{path}: no such file",
            Assert.Throws<TrajectoryException>(() => TrajectoryReader.Open(path, "g")).Message,
            StringComparison.Ordinal);
        Assert.Throws<TrajectoryException>(() => TrajectoryWriter.OpenForAppend(path, "g"));
    }

    [Property(Arbitrary = [typeof(Damage)], MaxTest = 2_000, Replay = "20250202,297405283")]
    public void Damaged_logs_are_refused_but_for_a_lost_end(Damage damage)
    {
        var damaged = damage.Done(_bytes);
        File.WriteAllBytes(_path, damaged);
        if (!Refuses(() => SampleLog.ReadAll(_path))) Assert.True(_bytes.AsSpan().StartsWith(damaged));
        if (!Refuses(() => TrajectoryWriter.OpenForAppend(_path, SampleLog.Genesis).Dispose())) SampleLog.ReadAll(_path);
        else Assert.Equal(damaged, File.ReadAllBytes(_path));
    }

    [Fact]
    public void Damage_is_rarely_a_lost_end()
    {
        var damaged = Damage.Any().Generator.Sample(2_000).Select(damage => damage.Done(_bytes));
        Assert.True(damaged.Count(bytes => !_bytes.AsSpan().StartsWith(bytes)) > 1_500);
    }

    private static bool Refuses(Action action)
    {
        try
        {
            action();
            return false;
        }
        catch (TrajectoryException exception)
        {
            Assert.DoesNotContain('\n', exception.Message);
            return true;
        }
    }

    private byte[] Changed(int at, byte value)
    {
        var changed = (byte[])_bytes.Clone();
        changed[at] = value;
        return changed;
    }

    private void AssertRefused(byte[] bytes, int record, int byteOffset, string expected)
    {
        File.WriteAllBytes(_path, bytes);
        var exception = Assert.Throws<TrajectoryException>(() => SampleLog.ReadAll(_path));
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        var where = byteOffset > 0 ? $"{_path}, record {record}, byte {byteOffset}: " : $"{_path}, record {record}, byte ";
        Assert.StartsWith(where, exception.Message, StringComparison.Ordinal);
    }
}
