using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Records.Tests.Trajectories;

/// <summary>What a loss of power leaves is cut off; what only a change can leave is refused and not touched.</summary>
public sealed class TornTailTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;
    private readonly byte[] _whole;

    // Where each record begins, and the end.
    private readonly int[] _ends;

    public TornTailTests()
    {
        _path = SampleLog.Write(_folder, 5);
        _whole = File.ReadAllBytes(_path);
        _ends = [16, .. Enumerable.Range(1, 5).Select(count => (int)new FileInfo(SampleLog.Write(_folder, count, $"{count}.log")).Length)];
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_tail_that_was_never_flushed_is_cut_wherever_it_begins(bool garbage)
    {
        var random = new Random(7);
        for (var from = 16; from < _whole.Length; from++)
        {
            var bytes = (byte[])_whole.Clone();
            bytes.AsSpan(from).Clear();
            if (garbage) random.NextBytes(bytes.AsSpan(from));
            // The original's own last bytes may happen to be what is put there.
            var firstChanged = Enumerable.Range(from, bytes.Length - from).FirstOrDefault(at => bytes[at] != _whole[at], bytes.Length);
            Assert.Equal(_ends.Count(end => end <= firstChanged) - 1, Reopened(bytes));
            Assert.Equal(_whole[.._ends[_ends.Count(end => end <= firstChanged) - 1]], File.ReadAllBytes(_path));
        }
    }

    [Fact]
    public void Any_change_in_front_of_a_whole_record_is_refused_and_the_log_left_alone()
    {
        for (var at = _ends[0]; at < _ends[4]; at++)
        {
            // The last bytes of the record before the last one are what the last one's hash is over.
            if (at >= _ends[4] - 32) continue;
            var bytes = (byte[])_whole.Clone();
            bytes[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(_path, bytes);
            Assert.Throws<TrajectoryException>(() => TrajectoryWriter.OpenForAppend(_path, SampleLog.Genesis).Dispose());
            Assert.Equal(bytes, File.ReadAllBytes(_path));
        }
    }

    [Fact]
    public void A_length_that_swallows_later_records_is_refused()
    {
        var bytes = (byte[])_whole.Clone();
        BitConverter.TryWriteBytes(bytes.AsSpan(_ends[2] + 4), 100_000);
        File.WriteAllBytes(_path, bytes);
        var refused = Assert.Throws<TrajectoryException>(() => TrajectoryWriter.OpenForAppend(_path, SampleLog.Genesis));
        Assert.StartsWith($"{_path}, record 3, byte {_ends[2]}: a record longer than the room", refused.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(_path));
    }

    [Fact]
    public void A_removed_record_is_refused_and_zeros_in_the_middle_are_too()
    {
        byte[][] changed = [[.. _whole[.._ends[1]], .. _whole[_ends[2]..]], (byte[])_whole.Clone()];
        changed[1].AsSpan(_ends[1], _ends[2] - _ends[1]).Clear();
        foreach (var bytes in changed)
        {
            File.WriteAllBytes(_path, bytes);
            Assert.Throws<TrajectoryException>(() => TrajectoryWriter.OpenForAppend(_path, SampleLog.Genesis));
            Assert.Equal(bytes, File.ReadAllBytes(_path));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(5000)]
    public void Nothing_but_zeros_is_a_log_that_was_just_created(int length) => Assert.Equal(0, Reopened(new byte[length]));

    [Fact]
    public void A_whole_record_is_found_across_the_windows_it_is_looked_for_in()
    {
        // The magic of a later record falls on the border of two windows of a mebibyte.
        foreach (var shift in new[] { -3, -2, -1, 0, 1 })
        {
            var junk = new byte[(1 << 20) + shift - 31];
            File.WriteAllBytes(_path, [.. _whole[.._ends[1]], .. junk, .. _whole[(_ends[2] - 32).._ends[3]]]);
            Assert.Throws<TrajectoryException>(() => TrajectoryWriter.OpenForAppend(_path, SampleLog.Genesis));
        }
    }

    private int Reopened(byte[] bytes)
    {
        File.WriteAllBytes(_path, bytes);
        using var writer = TrajectoryWriter.OpenForAppend(_path, SampleLog.Genesis);
        return writer.Count;
    }
}
