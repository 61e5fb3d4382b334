using System.Numerics;
using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Xunit;

namespace LlmStageAudit.Modeling.Tests.Engine;

/// <summary>What is read and changed in libraries: the versions they need, the functions they import.</summary>
public sealed class NativeLibraryTests
{
    private const string Version = "GLIBCXX_3.4.32";

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native");

    private static byte[] Bridge { get; } = File.ReadAllBytes(Path.Combine(Folder, "libLibTorchSharp.so"));

    [Fact]
    public void One_bit_makes_a_needed_version_weak()
    {
        var image = Bridge.ToArray();
        Assert.True(SymbolVersions.MarkWeak(image, Version));
        Assert.Equal(1, Bridge.Zip(image, (before, after) => BitOperations.PopCount((uint)(before ^ after))).Sum());
        // A second time there is nothing left to do.
        var again = image.ToArray();
        Assert.True(SymbolVersions.MarkWeak(again, Version));
        Assert.Equal(image, again);
    }

    [Theory]
    [InlineData("GLIBCXX_3.4.99")]
    [InlineData("GLIBCXX_3.4.3")]
    [InlineData("")]
    public void A_version_that_is_not_needed_changes_nothing(string version)
    {
        var image = Bridge.ToArray();
        Assert.False(SymbolVersions.MarkWeak(image, version));
        Assert.Equal(Bridge, image);
    }

    [Fact]
    public void A_library_that_ends_in_its_header_is_left_as_it_is()
    {
        for (var length = 0; length < 70; length++) AssertLeft(length);
    }

    /// <param name="place">Taken to anywhere in the file.</param>
    [Property(MaxTest = 60, EndSize = 100_000, Replay = "20261128,297405283")]
    public void A_library_that_is_cut_off_is_left_as_it_is(NonNegativeInt place) =>
        AssertLeft((int)(place.Get * 7_919L % (Bridge.Length - 64)));

    private static void AssertLeft(int length)
    {
        var image = Bridge[..length];
        Assert.False(SymbolVersions.MarkWeak(image, Version));
        Assert.Equal(Bridge[..length], image);
    }

    /// <param name="damage">Bytes of the header or of the table of sections, by the sign, and what they become.</param>
    [Property(MaxTest = 60, EndSize = 4_000, Replay = "20261128,297405283")]
    public void A_library_with_damage_changes_by_a_bit_or_not_at_all((short Place, byte Value)[] damage)
    {
        var sections = (int)BitConverter.ToUInt64(Bridge, 0x28);
        var image = Bridge.ToArray();
        foreach (var (place, value) in damage.Take(3)) image[place < 0 ? -(place + 1) % 64 : sections + (place % (image.Length - sections))] = value;
        var before = image.ToArray();
        var isMarked = SymbolVersions.MarkWeak(image, Version);
        var bits = before.Zip(image, (one, other) => BitOperations.PopCount((uint)(one ^ other))).Sum();
        Assert.InRange(bits, 0, isMarked ? 1 : 0);
    }

    [Fact]
    public void Imported_functions_are_found()
    {
        TorchEngine.Require();
        var imports = ImportTable.Of(NativeLibrary.Load(Path.Combine(Folder, "libc10.so")));
        foreach (var function in new[] { "posix_memalign", "free" })
        {
            // Where there are several, all lead to the same function.
            Assert.Single(imports.Find(function)!.Values.Distinct());
            Assert.DoesNotContain(0, imports.Find(function)!.Values);
        }

        foreach (var function in new[] { "no_such_function", "posix_memalig", "", "cosl" }) Assert.Null(imports.Find(function));
    }

    /// <summary>Whatever kernels the library of matrix products takes on this processor.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(37, 129, 65)]
    [InlineData(256, 512, 2)]
    [InlineData(3, 1031, 300)]
    public void Products_are_those_of_double_precision(int rows, int inner, int columns)
    {
        var random = Foundation.Randomness.StableRandom.For(5, "product");
        var (left, right) = (Normals(rows * inner), Normals(inner * columns));
        using var scope = NewDisposeScope();
        var single = TensorMemory.Of(left, [rows, inner]).mm(TensorMemory.Of(right, [inner, columns])).ToArray<float>();
        for (var at = 0; at < single.Length; at++)
        {
            var (row, column) = (at / columns, at % columns);
            var expected = Enumerable.Range(0, inner).Sum(k => (double)left[(row * inner) + k] * right[(k * columns) + column]);
            Assert.InRange(single[at] - expected, -1e-6 * inner, 1e-6 * inner);
        }

        float[] Normals(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextNormal())];
    }

    [Fact]
    public void Large_tensors_lie_in_the_page_heap_and_small_ones_do_not()
    {
        TorchEngine.Require();
        if (TorchEngine.Allocator == "malloc") return; // by the user's choice
        var before = TensorAllocator.Heap.TakenBytes;
        using (ones([1 << 20])) Assert.Equal(before + (4 << 20), TensorAllocator.Heap.TakenBytes);
        using (ones([100])) Assert.Equal(before, TensorAllocator.Heap.TakenBytes);
    }
}
