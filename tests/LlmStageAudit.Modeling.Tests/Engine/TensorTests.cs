using System.Runtime.InteropServices;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Engine;

public sealed class TensorTests
{
    [Fact]
    public void Values_go_in_and_come_out_in_row_major_order()
    {
        using var scope = NewDisposeScope();
        var matrix = TensorMemory.Of<float>([1, 2, 3, 4, 5, 6], [2, 3]);
        Assert.Equal([2L, 3L], matrix.shape);
        Assert.Equal(ScalarType.Float32, matrix.dtype);
        Assert.Equal([1f, 4, 2, 5, 3, 6], matrix.transpose(0, 1).ToArray<float>());
        Assert.Equal([7L, 8L], TensorMemory.Of<long>([7, 8]).ToArray<long>());
        Assert.Equal("cpu", matrix.device.ToString());
    }

    [Theory]
    [InlineData(new long[] { 2 })]
    [InlineData(new long[] { -1, -3 })]
    [InlineData(new[] { long.MaxValue, 2 })]
    [InlineData(new[] { 1L << 32, 1L << 32 })]
    [InlineData(new[] { -1L, long.MinValue })]
    public void Values_that_do_not_fill_a_shape_are_refused(long[] shape) =>
        Assert.Contains("3 values for the shape", Assert.Throws<EngineException>(() => TensorMemory.Of<float>([1, 2, 3], shape)).Message);

    [Fact]
    public void Operators_compute_what_their_names_say()
    {
        using var scope = NewDisposeScope();
        var a = TensorMemory.Of<double>([1, 2, 3, 4], [2, 2]);
        var b = TensorMemory.Of<double>([0.5, -1, 2, 0], [2, 2]);
        Assert.Equal([4.5, -1, 9.5, -3], a.mm(b).ToArray<double>());
        Assert.Equal([1.5, 1, 5, 4], (a + b).ToArray<double>());
        Assert.Equal([2.0, 0, 7, 4], a.add(b, 2).ToArray<double>());
        Assert.Equal([0.0, -1, -2, -3], (1 - a).ToArray<double>());
        Assert.Equal(10, a.sum().ToNumber());
        Assert.Equal([3.0, 7], a.sum(1L).ToArray<double>());
        Assert.Equal(Math.Sqrt(30), a.norm().ToNumber(), 12);
        Assert.Equal(1 / (1 + Math.E), a.softmax(-1).ToArray<double>()[0], 12);
        Assert.Equal([1.0, 2, 0, 4], where(b.gt(1).logical_not(), a, a.zeros_like()).ToArray<double>());
        Assert.Equal([1.0, 2, 3, 4, 0.5, -1, 2, 0], cat([a, b]).ToArray<double>());
        Assert.Equal(0.8413447460685429, TensorMemory.Of<double>([1]).gelu().ToNumber(), 12);
    }

    [Fact]
    public void Products_over_leading_dimensions_are_those_of_their_matrices()
    {
        using var scope = NewDisposeScope();
        var left = TensorMemory.Of<double>([.. Enumerable.Range(1, 24).Select(i => Math.Sin(i))], [2, 2, 2, 3]);
        var right = TensorMemory.Of<double>([.. Enumerable.Range(1, 48).Select(i => Math.Cos(i))], [2, 2, 4, 3]).transpose(2, 3);
        var product = left.batched_mm(right);
        Assert.Equal([2L, 2, 2, 4], product.shape);
        for (var i = 0; i < 4; i++)
        {
            var expected = left.reshape(4, 2, 3).narrow(0, i, 1).squeeze(0).mm(right.reshape(4, 3, 4).narrow(0, i, 1).squeeze(0));
            Assert.Equal(expected.ToArray<double>(), product.reshape(4, 8).narrow(0, i, 1).ToArray<double>());
        }
    }

    [Fact]
    public void Errors_name_the_shapes()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ExternalException>(() => ones([2, 3]).mm(ones([2, 3])));
        Assert.Contains("2x3 and 2x3", error.Message, StringComparison.Ordinal);
        Assert.Throws<ExternalException>(() => ones([2, 2, 3]).batched_mm(ones([2, 2, 3])));
        Assert.Throws<EngineException>(() => TensorMemory.Of<float>([1, 2], [3]));
        Assert.Throws<EngineException>(() => ones([2]).ToArray<double>());
    }

    [Fact]
    public void A_scope_frees_what_was_made_in_it_and_spares_what_was_moved_out()
    {
        var before = LiveTensors.Settled();
        Tensor kept;
        using (NewDisposeScope())
        {
            Tensor moved;
            using (var inner = NewDisposeScope())
            {
                moved = inner.MoveToOuter(ones([4]) + ones([4]));
                kept = inner.Detach(moved * 3);
                Assert.Equal(before + 4, Tensor.TotalCount);
            }

            Assert.Equal(before + 2, Tensor.TotalCount);
            Assert.Equal([2f, 2, 2, 2], moved.ToArray<float>());
        }

        Assert.Equal(before + 1, Tensor.TotalCount);
        kept.Dispose();
        kept.Dispose();
        Assert.Equal(before, Tensor.TotalCount);
        Assert.ThrowsAny<InvalidOperationException>(() => kept + 1);
    }

    [Fact]
    public void A_wrapped_computation_leaves_its_result_alone()
    {
        using var scope = NewDisposeScope();
        var x = ones([4]);
        var before = LiveTensors.Settled();
        var y = WrappedTensorDisposeScope(() => (x * 2) + (x * 3));
        Assert.Equal(before + 1, Tensor.TotalCount);
        Assert.Equal([5f, 5, 5, 5], y.ToArray<float>());
        Assert.Same(x, WrappedTensorDisposeScope(() => x)); // what was there before stays
        Assert.Equal([1f, 1, 1, 1], x.ToArray<float>());
        Assert.Throws<ExternalException>(() => WrappedTensorDisposeScope(() => (x + 1).mm(ones([2, 3]))));
        Assert.Equal(before + 1, Tensor.TotalCount);
    }

    [Fact]
    public void Failed_calls_leave_no_tensor_behind()
    {
        var before = LiveTensors.Settled();
        using (NewDisposeScope())
        {
            var left = ones([2, 3]);
            for (var i = 0; i < 100; i++) Assert.Throws<ExternalException>(() => left.mm(left));
            Assert.Equal(before + 1, Tensor.TotalCount);
        }

        Assert.Equal(before, Tensor.TotalCount);
    }
}
