using System.Globalization;
using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Tests.Engine;

/// <summary>Large tensors on the CPU take over the pages of those before them.</summary>
/// <remarks>Alone, for what is kept is told from the memory of the whole process.</remarks>
[Collection(nameof(LargeTensorTests))]
[CollectionDefinition(nameof(LargeTensorTests), DisableParallelization = true)]
public sealed class LargeTensorTests
{
    private const long MiB = 1L << 20;

    /// <summary>What the process may take for itself meanwhile.</summary>
    private const long Noise = 12 * MiB;

    [Fact]
    public void Tensors_of_all_sizes_stay_apart()
    {
        var random = new Random(11);
        var alive = new List<(Tensor Tensor, long Length, int Value)>();
        using var scope = NewDisposeScope();
        using var off = no_grad();
        for (var i = 0; i < 3000; i++)
        {
            if (alive.Count > 0 && random.Next(2) == 0)
            {
                var place = random.Next(alive.Count);
                Check(alive[place]);
                alive[place].Tensor.Dispose();
                alive.RemoveAt(place);
            }
            else
            {
                // From a few bytes to a mebibyte, all magnitudes alike.
                var length = (long)Math.Pow(2, random.NextDouble() * 18);
                alive.Add((full([length], i, float32), length, i));
            }
        }

        alive.ForEach(Check);

        static void Check((Tensor Tensor, long Length, int Value) one)
        {
            var values = one.Tensor.ToArray<float>();
            Assert.Equal(one.Length, values.Length);
            Assert.True(values.All(value => value == one.Value), $"tensor {one.Value} of {one.Length} elements was written over");
        }
    }

    [Fact]
    public void A_peak_is_that_of_what_was_alive_whatever_the_order()
    {
        LlmStageAudit.Testing.LiveTensors.Settled();
        TorchEngine.TrimMemory();
        var before = Resident();
        var most = 0L;
        // Each a little longer than all before it, with another that stays between: what a heap finds no place for in what is free.
        using var scope = NewDisposeScope();
        var staying = new List<Tensor>();
        for (var length = 8 * MiB; length <= 64 * MiB; length += 4 * MiB)
        {
            using (Filled(length))
            {
                staying.Add(Filled(MiB));
                most = Math.Max(most, Resident() - before);
            }
        }

        // 64 MiB of the longest, one of each of the 15 that stay, and what may be kept.
        Assert.InRange(most, 64 * MiB, ((64 + 15 + 16) * MiB) + Noise);
    }

    [Fact]
    public void What_tensors_leave_is_kept_until_it_is_trimmed()
    {
        // A heap of its own: the process's also keeps what other tests leave to the garbage collector.
        var heap = new PageHeap();
        Pass(128);
        Assert.Equal(128 * MiB, heap.KeptBytes);
        // Shorter ones find room in it.
        var (one, other) = (heap.Take((nint)(60 * MiB)), heap.Take((nint)(60 * MiB)));
        Assert.Equal(8 * MiB, heap.KeptBytes);
        Assert.True(heap.Leave(one) && heap.Leave(other));
        Assert.Equal(128 * MiB, heap.KeptBytes);
        heap.Trim();
        Assert.Equal(0, heap.KeptBytes);
        // What was alive before no longer counts; the first of these is within the allowance and stays beside the second.
        Pass(10);
        Pass(30);
        Assert.Equal(40 * MiB, heap.KeptBytes);
        heap.Trim();

        void Pass(long size) => Assert.True(heap.Leave(heap.Take((nint)(size * MiB))));
    }

    [Fact]
    public void A_tensor_that_no_memory_holds_is_refused_with_its_size()
    {
        var exception = Assert.Throws<ExternalException>(() => zeros([1L << 46]));
        Assert.Contains("281474976710656 bytes", exception.Message, StringComparison.Ordinal);
    }

    private static Tensor Filled(long bytes) => ones([bytes / sizeof(float)]);

    private static long Resident()
    {
        var pages = File.ReadAllText("/proc/self/statm").Split(' ')[1];
        return Environment.SystemPageSize * long.Parse(pages, CultureInfo.InvariantCulture);
    }
}
