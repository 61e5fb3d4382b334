using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Tests.Engine;

public sealed class TensorMemoryTests
{
    [Fact]
    public void Values_of_every_type_come_back()
    {
        Roundtrip<float>([1.5f, -0f, float.NaN, float.PositiveInfinity, float.Epsilon, 6], ScalarType.Float32);
        Roundtrip<double>([1.5, -0.0, double.NaN, double.NegativeInfinity, double.Epsilon, 6], ScalarType.Float64);
        Roundtrip<long>([long.MinValue, -1, 0, 1, 2, long.MaxValue], ScalarType.Int64);
        Roundtrip<int>([int.MinValue, -1, 0, 1, 2, int.MaxValue], ScalarType.Int32);
        Roundtrip<bool>([true, false, true, true, false, false], ScalarType.Bool);

        static void Roundtrip<T>(T[] values, ScalarType expected)
            where T : unmanaged
        {
            using var scope = NewDisposeScope();
            var matrix = TensorMemory.Of<T>(values, [2, 3]);
            Assert.Equal(expected, matrix.dtype);
            Assert.Equal([2L, 3], matrix.shape);
            Assert.Equal(values, matrix.ToArray<T>());
            Assert.Equal(values, TensorMemory.Of<T>(values).ToArray<T>());
            // Rows become columns, every second column, backwards through an expanded one: all in the order of their elements.
            Assert.Equal([values[0], values[3], values[1], values[4], values[2], values[5]], matrix.t().ToArray<T>());
            Assert.Equal([values[1], values[2], values[4], values[5]], matrix.narrow(1, 1, 2).ToArray<T>());
            Assert.Equal([values[2], values[2], values[5], values[5]], matrix.narrow(1, 2, 1).expand(2, 2).ToArray<T>());
            var into = new T[4];
            matrix.narrow(1, 0, 2).CopyTo<T>(into);
            Assert.Equal([values[0], values[1], values[3], values[4]], into);
        }
    }

    [Fact]
    public void Scalars_and_empty_tensors_have_one_element_and_none()
    {
        using var scope = NewDisposeScope();
        var scalar = TensorMemory.Of<double>([7], []);
        Assert.Empty(scalar.shape);
        Assert.Equal([7.0], scalar.ToArray<double>());
        var empty = TensorMemory.Of<float>([], [0, 3]);
        Assert.Equal([0L, 3], empty.shape);
        Assert.Empty(empty.ToArray<float>());
        Assert.True(empty.AllFinite());
        Assert.Equal([0L], TensorMemory.Of<long>([]).shape);
    }

    [Fact]
    public void What_does_not_match_is_refused()
    {
        using var scope = NewDisposeScope();
        var matrix = ones([2, 3]);
        var error = Assert.Throws<EngineException>(() => matrix.ToArray<double>());
        Assert.Contains("Float32[2, 3] on cpu", error.Message, StringComparison.Ordinal);
        Assert.Contains("6 elements of Double", error.Message, StringComparison.Ordinal);
        Assert.Throws<EngineException>(() => matrix.ToArray<int>()); // of the same size
        Assert.Throws<EngineException>(() => matrix.ToArray<byte>());
        Assert.Throws<EngineException>(() => matrix.to(ScalarType.BFloat16).ToArray<short>());
        Assert.Throws<EngineException>(() => matrix.CopyTo<float>(new float[5]));
        Assert.Throws<EngineException>(() => matrix.CopyTo<float>(new float[7]));
        Assert.Throws<EngineException>(() => TensorMemory.Of<float>([1, 2, 3], [2]));
        Assert.Throws<EngineException>(() => TensorMemory.Of<float>([1, 2, 3], []));
        Assert.Throws<EngineException>(() => TensorMemory.Of<byte>([1, 2, 3]));
        Assert.Throws<EngineException>(() => TensorMemory.Of<char>(['a'], [1]));
        Assert.ThrowsAny<Exception>(() => TensorMemory.Of<float>([1, 2, 3, 4, 5, 6], [-2, -3]));
        Assert.ThrowsAny<Exception>(() => TensorMemory.Of<float>([1], [1L << 40, 1L << 40]));
        matrix.Dispose();
        Assert.ThrowsAny<InvalidOperationException>(() => matrix.ToArray<float>());
    }

    [Fact]
    public void Copies_leave_nothing_behind_and_need_no_scope() => Testing.LiveTensors.ReturnToTheirCount(() =>
    {
        using var made = TensorMemory.Of<float>([1, 2, 3, 4], [2, 2]);
        using var turned = made.t();
        Assert.Equal([1f, 3, 2, 4], turned.ToArray<float>());
        Assert.True(turned.AllFinite());
        Assert.Throws<EngineException>(() => turned.ToArray<long>());
    });

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void One_number_that_is_not_finite_is_found(double value)
    {
        using var scope = NewDisposeScope();
        Assert.True(TensorMemory.Of<double>([1, 2, double.MaxValue]).AllFinite());
        Assert.False(TensorMemory.Of<double>([1, value, 2]).AllFinite());
    }

    [Fact]
    public unsafe void A_tensor_over_memory_sees_what_is_there()
    {
        using var scope = NewDisposeScope();
        var memory = (float*)NativeMemory.Alloc(6, sizeof(float));
        for (var i = 0; i < 6; i++) memory[i] = i;
        var over = TensorMemory.Over((nint)memory, [2, 3], ScalarType.Float32);
        memory[5] = 50;
        Assert.Equal([0f, 1, 2, 3, 4, 50], over.ToArray<float>());
        Assert.Equal([3f, 54], over.narrow(1, 0, 3).sum(1L).ToArray<float>().Select((sum, i) => i == 0 ? sum : sum - 3));
        over.Dispose();
        Assert.Equal(50, memory[5]); // not libtorch's to free
        NativeMemory.Free(memory);
        Assert.ThrowsAny<Exception>(() => TensorMemory.Over(0, [-1], ScalarType.Float32));
    }
}
