using FsCheck.Xunit;

namespace LlmStageAudit.Modeling.Tests.Engine;

public sealed unsafe class PageHeapTests
{
    private const nint MiB = 1 << 20;

    /// <param name="moves">Each leaves one of the taken ranges or takes another.</param>
    [Property(MaxTest = 60, EndSize = 800, Replay = "20261128,297405283")]
    public void Ranges_never_overlap_and_the_peak_is_what_was_taken_and_an_allowance((bool Leaves, ushort Choice)[] moves)
    {
        var heap = new PageHeap();
        var taken = new SortedDictionary<nint, nint>();
        nint sum = 0, mostTaken = 0;
        foreach (var (leaves, choice) in moves)
        {
            if (leaves && taken.Count > 0)
            {
                var (start, length) = taken.ElementAt(choice % taken.Count);
                // The ends still hold what was written when it was taken.
                Assert.Equal(length, *(nint*)start);
                Assert.Equal(start, *(nint*)(start + length - sizeof(nint)));
                Assert.True(heap.Leave(start));
                Assert.False(heap.Leave(start));
                taken.Remove(start);
                sum -= Pages(length);
            }
            else
            {
                var length = ((nint)Math.Pow(2, 4 + (18.0 * choice / ushort.MaxValue)) + 7) & -8;
                var start = heap.Take(length);
                Assert.NotEqual(0, start);
                Assert.Equal(0, start % 4096);
                Assert.DoesNotContain(taken, other => start < other.Key + other.Value && other.Key < start + length);
                *(nint*)start = length;
                *(nint*)(start + length - sizeof(nint)) = start;
                taken.Add(start, length);
                sum += Pages(length);
                mostTaken = nint.Max(mostTaken, sum);
            }

            Assert.Equal(sum, heap.TakenBytes);
            Assert.InRange(heap.TakenBytes + heap.KeptBytes, sum, mostTaken + (16 * MiB));
        }

        foreach (var start in taken.Keys) Assert.True(heap.Leave(start));
        Assert.Equal(0, heap.TakenBytes);
        heap.Trim();
        Assert.Equal(0, heap.KeptBytes);
    }

    [Fact]
    public void What_is_kept_joins_in_whatever_order_it_comes()
    {
        int[][] orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        foreach (var order in orders)
        {
            var heap = new PageHeap();
            var whole = heap.Take(3 * MiB);
            Assert.True(heap.Leave(whole));
            var parts = new[] { heap.Take(MiB), heap.Take(MiB), heap.Take(MiB) };
            Assert.Equal([whole, whole + MiB, whole + (2 * MiB)], parts);
            Assert.Equal(0, heap.KeptBytes);
            foreach (var i in order) Assert.True(heap.Leave(parts[i]));
            Assert.Equal(3 * MiB, heap.KeptBytes);
            Assert.Equal(whole, heap.Take(3 * MiB));
            Assert.True(heap.Leave(whole));
            heap.Trim();
        }
    }

    [Fact]
    public void After_a_trim_the_most_taken_begins_anew()
    {
        var heap = new PageHeap();
        Assert.True(heap.Leave(heap.Take(100 * MiB)));
        Assert.Equal(100 * MiB, heap.KeptBytes);
        heap.Trim();
        Assert.Equal(0, heap.KeptBytes);
        var small = heap.Take(MiB);
        Assert.True(heap.Leave(heap.Take(30 * MiB)));
        Assert.True(heap.Leave(heap.Take(40 * MiB)));
        Assert.InRange(heap.KeptBytes, 40 * MiB, (40 + 16) * MiB);
        Assert.True(heap.Leave(small));
        heap.Trim();
    }

    [Fact]
    public void What_it_did_not_give_it_does_not_take_back()
    {
        var heap = new PageHeap();
        var start = heap.Take(3 * 4096);
        foreach (var foreign in new[] { 0, 8, 4096, start + 8, start + 4096, start - 4096, -4096, nint.MaxValue }) Assert.False(heap.Leave(foreign));
        Assert.False(new PageHeap().Leave(start));
        Assert.Equal(3 * 4096, heap.TakenBytes);
        Assert.True(heap.Leave(start));
        heap.Trim();
    }

    [Fact]
    public void Absurd_sizes_are_refused_and_spoil_nothing()
    {
        var heap = new PageHeap();
        Assert.True(heap.Leave(heap.Take(MiB)));
        foreach (var bytes in new[] { 0, -1, nint.MinValue, nint.MaxValue, nint.MaxValue / 2, (nint)1 << 50 }) Assert.Equal(0, heap.Take(bytes));
        Assert.Equal(0, heap.TakenBytes);
        Assert.True(heap.Leave(heap.Take(1)));
        heap.Trim();
        Assert.Equal(0, heap.KeptBytes);
    }

    private static nint Pages(nint bytes) => (bytes + 4095) & -4096;
}
