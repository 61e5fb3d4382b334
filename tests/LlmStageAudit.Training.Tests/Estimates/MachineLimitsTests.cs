using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Training.Tests.Estimates;

public sealed class MachineLimitsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    // The system has 8 GiB; groups of version 2 leave: none said, own limit, the limit of the group around, cached files given back.
    [InlineData("max", "100", "max", 8L << 30)]
    [InlineData("5000000000", "1000000000", "max", 4000000000)]
    [InlineData("max", "100", "3000000000", 1000000000)]
    [InlineData("5000000000", "1000000000", "2500000000", 500000000)]
    public void The_narrowest_group_decides(string own, string used, string around, long expected)
    {
        _folder.Write("proc/meminfo", "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n");
        _folder.Write("proc/self/cgroup", "0::/outer/job\n");
        _folder.Write("groups/outer/job/memory.max", own + "\n");
        _folder.Write("groups/outer/job/memory.current", used + "\n");
        _folder.Write("groups/outer/memory.max", around + "\n");
        _folder.Write("groups/outer/memory.current", "2000000000\n");
        Assert.Equal(expected, Available());
    }

    [Fact]
    public void Cached_files_give_way()
    {
        _folder.Write("proc/self/cgroup", "0::/job\n");
        _folder.Write("groups/job/memory.max", "5000\n");
        _folder.Write("groups/job/memory.current", "4000\n");
        _folder.Write("groups/job/memory.stat", "anon 100\nfile 3500\ninactive_file 3000\nactive_file 500\n");
        Assert.Equal(4000, Available());
    }

    [Theory]
    [InlineData("4096000", 4086000)]
    [InlineData("9223372036854771712", null)]
    public void Version_1_has_other_names_and_a_number_for_no_limit(string limit, int? expected)
    {
        _folder.Write("proc/self/cgroup", "7:blkio:/\n4:memory:/box\n0::/\n");
        _folder.Write("groups/memory/box/memory.limit_in_bytes", limit);
        _folder.Write("groups/memory/box/memory.usage_in_bytes", "20000");
        _folder.Write("groups/memory/box/memory.stat", "cache 1\ntotal_inactive_file 10000\n");
        Assert.Equal(expected, Available());
    }

    [Fact]
    public void Nothing_said_is_no_limit() => Assert.Null(Available());

    [Fact]
    public void Free_room_is_that_of_the_nearest_folder_there_is()
    {
        var here = MachineLimits.Current.FreeDiskBytes(_folder.Path);
        var below = MachineLimits.Current.FreeDiskBytes(_folder.At("not", "yet", "there"));
        Assert.True(here > 0);
        Assert.InRange(below!.Value, here.Value / 2, here.Value * 2);
    }

    public void Dispose() => _folder.Dispose();

    private long? Available() => MachineLimits.AvailableBytes(_folder.At("proc"), _folder.At("groups"));
}
