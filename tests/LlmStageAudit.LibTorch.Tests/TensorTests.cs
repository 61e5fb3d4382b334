using static LlmStageAudit.LibTorch.torch;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace LlmStageAudit.LibTorch.Tests;

public sealed class TensorTests
{
    [Fact]
    public void Values_go_in_and_come_out_in_row_major_order()
    {
        using var scope = NewDisposeScope();
        var matrix = tensor([1f, 2, 3, 4, 5, 6], [2, 3]);
        Assert.Equal([2L, 3L], matrix.shape);
        Assert.Equal(ScalarType.Float32, matrix.dtype);
        Assert.Equal([1f, 4, 2, 5, 3, 6], matrix.transpose(0, 1).data<float>());
        Assert.Equal([7L, 8L], tensor([7L, 8L]).data<long>());
        Assert.Equal("cpu", matrix.device.ToString());
    }

    [Fact]
    public void Operators_compute_what_their_names_say()
    {
        using var scope = NewDisposeScope();
        var a = tensor([1.0, 2, 3, 4], [2, 2]);
        var b = tensor([0.5, -1, 2, 0], [2, 2]);
        Assert.Equal([4.5, -1, 9.5, -3], matmul(a, b).data<double>());
        Assert.Equal([1.5, 1, 5, 4], (a + b).data<double>());
        Assert.Equal([2.0, 0, 7, 4], a.add(b, 2).data<double>());
        Assert.Equal([0.0, -1, -2, -3], (1 - a).data<double>());
        Assert.Equal(10, a.sum().item());
        Assert.Equal([3.0, 7], a.sum(1).data<double>());
        Assert.Equal(Math.Sqrt(30), a.norm().item(), 12);
        var probabilities = a.softmax(-1).data<double>();
        Assert.Equal(1 / (1 + Math.E), probabilities[0], 12);
        Assert.Equal([1.0, 2, 0, 4], where(b.gt(1).logical_not(), a, a.zeros_like()).data<double>());
        Assert.Equal([1.0, 2, 3, 4, 0.5, -1, 2, 0], cat([a, b]).data<double>());
        Assert.Equal([0.8413447460685429], nn.functional.gelu(tensor([1.0])).data<double>(), new Tolerance(1e-12));
    }

    [Fact]
    public void Errors_name_the_operator_and_the_shapes()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<TorchException>(() => matmul(ones([2, 3]), ones([2, 3])));
        Assert.Equal("aten::matmul", error.Operation);
        Assert.Contains("Float32[2, 3], Float32[2, 3]", error.Message, StringComparison.Ordinal);
        Assert.Throws<TorchException>(() => new Operator("aten::no_such_operator").Call());
        Assert.Throws<TorchException>(() => tensor([1f, 2f], [3]));
        Assert.Throws<TorchException>(() => ones([2]).data<double>());
    }

    [Fact]
    public void A_scope_frees_what_was_made_in_it_and_spares_what_was_moved_out()
    {
        var before = LiveTensorCount;
        Tensor kept;
        using (NewDisposeScope())
        {
            Tensor moved;
            using (var inner = NewDisposeScope())
            {
                moved = inner.MoveToOuter(ones([4]) + ones([4]));
                kept = inner.Detach(moved * 3);
                Assert.Equal(before + 4, LiveTensorCount);
            }

            Assert.Equal(before + 2, LiveTensorCount);
            Assert.Equal([2f, 2, 2, 2], moved.data<float>());
        }

        Assert.Equal(before + 1, LiveTensorCount);
        kept.Dispose();
        kept.Dispose();
        Assert.Equal(before, LiveTensorCount);
        Assert.Throws<ObjectDisposedException>(() => kept + 1);
    }

    [Fact]
    public void A_wrapped_computation_leaves_its_result_alone()
    {
        using var scope = NewDisposeScope();
        var x = ones([4]);
        var before = LiveTensorCount;
        var y = WrappedTensorDisposeScope(() => (x * 2) + (x * 3));
        Assert.Equal(before + 1, LiveTensorCount);
        Assert.Equal([5f, 5, 5, 5], y.data<float>());
        Assert.Same(x, WrappedTensorDisposeScope(() => x)); // what was there before stays
        Assert.Equal([1f, 1, 1, 1], x.data<float>());
        Assert.Throws<TorchException>(() => WrappedTensorDisposeScope(() => matmul(x + 1, ones([2, 3]))));
        Assert.Equal(before + 1, LiveTensorCount);
    }

    [Fact]
    public void Failed_calls_leave_no_tensor_behind()
    {
        var before = LiveTensorCount;
        using (NewDisposeScope())
        {
            var left = ones([2, 3]);
            for (var i = 0; i < 100; i++) Assert.Throws<TorchException>(() => matmul(left, left));
        }

        Assert.Equal(before, LiveTensorCount);
    }

    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData("cuda", "cuda:0")]
    [InlineData("cuda:3", "cuda:3")]
    public void Devices_are_spelt_as_in_PyTorch(string text, string expected) => Assert.Equal(expected, new Device(text).ToString());

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:x")]
    [InlineData("cuda:0:1")]
    [InlineData("")]
    public void Unknown_devices_are_refused(string text) => Assert.Throws<ArgumentException>(() => new Device(text));
}

internal sealed class Tolerance(double absolute) : IEqualityComparer<double>
{
    public bool Equals(double x, double y) => Math.Abs(x - y) <= absolute;

    public int GetHashCode(double value) => 0;
}
