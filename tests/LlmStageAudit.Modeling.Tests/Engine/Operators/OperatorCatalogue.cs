using static LlmStageAudit.Modeling.Tests.Engine.Operators.WrongCalls;
using static TorchSharp.torch.nn;

namespace LlmStageAudit.Modeling.Tests.Engine.Operators;

/// <summary>
/// Every member of TorchSharp that the project uses, and some that it may come to use, with what can be wrong with a call. TorchSharp
/// wraps each native function by itself, and some wraps are missing: an error there ends the process instead of being thrown.
/// </summary>
internal static partial class OperatorCatalogue
{
    /// <summary>What cannot be called wrongly, and why.</summary>
    public static IReadOnlyDictionary<string, string> Harmless { get; } = new Dictionary<string, string>
    {
        ["torch.bfloat16"] = Constant, ["torch.float32"] = Constant, ["torch.float64"] = Constant, ["torch.CPU"] = Constant,
        ["ScalarExtensionMethods.ToDouble(Scalar)"] = "any number will do", ["Scalar.Dispose()"] = Managed,
        ["DisposeScope.Attach(IDisposable)"] = Managed, ["DisposeScope.Detach(T0)"] = Managed, ["DisposeScope.MoveToOuter(T0)"] = Managed,
        ["torch.NewDisposeScope()"] = Managed, ["torch.WrappedTensorDisposeScope(Func<Tensor>)"] = Managed,
        ["Tensor.Dispose()"] = "twice is as good as once",
        ["Tensor.get_TotalCount()"] = "a counter",
        ["torch.no_grad()"] = Switch, ["torch.enable_grad(Boolean)"] = Switch,
        ["torch.get_num_threads()"] = Switch, ["torch.get_num_interop_threads()"] = Switch,
        ["cuda.device_count()"] = "0 where there is no CUDA",
        ["Device.get_type()"] = Managed, ["Device.get_index()"] = Managed,
        ["Device..ctor(DeviceType, Int32)"] = "a name; what is not there is found when a tensor is to go there",
        ["Tensor.UnsafeCreateTensor(IntPtr)"] = "only around handles that the bridge has just made",
    };

    /// <summary>What the engine room alone may use, behind its own checks.</summary>
    public static IReadOnlyDictionary<string, string> Guarded { get; } = new Dictionary<string, string>
    {
        ["torch.set_num_threads(Int32)"] = "LlmStageAudit.Modeling.Engine.TorchEngine",
        ["autograd.backward(IList<Tensor>, IList<Tensor>, Boolean?, Boolean, IList<Tensor>)"] = "LlmStageAudit.Modeling.Engine.Gradients",
        ["Tensor.UnsafeCreateTensor(IntPtr)"] = "LlmStageAudit.Modeling.Engine.TensorMemory",
        ["Scalar.op_Implicit(Double)"] = "LlmStageAudit.Modeling.Engine.Scalars",
        ["Scalar.op_Implicit(Int64)"] = "LlmStageAudit.Modeling.Engine.Scalars",
        ["Tensor.ToScalar()"] = "LlmStageAudit.Modeling.Engine.Scalars",
        ["Tensor.get_grad()"] = "LlmStageAudit.Modeling.Engine.Gradients",
        ["Tensor.set_grad(Tensor)"] = "LlmStageAudit.Modeling.Engine.Gradients",
    };

    /// <summary>What no room may use, by the start of its name, and what to use.</summary>
    public static IReadOnlyDictionary<string, string> Forbidden { get; } = new Dictionary<string, string>
    {
        ["torch.matmul("] = "ends the process where shapes do not fit: mm, mv, bmm or batched_mm",
        ["Tensor.matmul("] = "ends the process where shapes do not fit: mm, mv, bmm or batched_mm",
        ["autograd.grad("] = "ends the process at any error: Gradients.Of",
        ["Tensor.backward("] = "leaves gradients behind: Gradients.Of",
        ["torch.set_num_interop_threads("] = "ends the process where it comes late",
        ["torch.use_deterministic_algorithms("] = "does nothing: TorchEngine.Deterministic",
        ["Device.op_Implicit("] = "takes what names no device: Devices.Parse",
        ["Scalar.op_Implicit(Int32)"] = "the number may be freed while native code reads it: Scalars",
        ["TensorExtensionMethods.ToDouble("] = "the number may be freed before it is read: ToNumber",
        ["torch.tensor("] = "slow, and open to any type: TensorMemory.Of",
    };

    /// <summary>Calls that end the process, which is why they are forbidden or guarded; and one between them that does not.</summary>
    public static IReadOnlyList<WrongCall> Deadly { get; } = new WrongCalls()
        .On("torch.matmul(Tensor, Tensor)").Fails("[2, 3] and [4, 5]", () => matmul(F(2, 3), F(4, 5)))
        .On("Tensor.mm(Tensor)").Fails("[2, 3] and [4, 5]", () => F(2, 3).mm(F(4, 5)))
        .On("autograd.grad").Fails("a vector of another shape", () => Recorded(() => autograd.grad([Leaf(2) * 2], [Leaf(2)], [F(3)])))
        .On("torch.set_num_threads(Int32)").Fails("none", () =>
        {
            set_num_threads(0);
            return null;
        }).All;

    /// <summary>All wrong calls that must not end the process.</summary>
    public static IReadOnlyList<WrongCall> Calls { get; } = [.. Making().All, .. Facts().All, .. Elementwise().All, .. Writing().All,
        .. Along().All, .. Arranging().All, .. Products().All, .. Differentiating().All];

    private const string Constant = "a constant";
    private const string Managed = "touches no native code that can fail";
    private const string Switch = "a setting that has but valid values";

    private static WrongCalls Making() => new WrongCalls()
        .Shaped("torch.empty(Int64[], ScalarType?, Device, Boolean, String[])", shape => empty(shape))
        .Shaped("torch.zeros(Int64[], ScalarType?, Device, Boolean, String[])", shape => zeros(shape))
        .Fails("whole numbers that require gradients", () => zeros(new long[] { 2 }, ScalarType.Int64, requires_grad: true))
        .Fails("on a device that is not there", () => zeros(new long[] { 2 }, device: new Device(DeviceType.CUDA, 99)))
        .Lives("an unknown type", () => zeros(new long[] { 2 }, (ScalarType)99))
        .Shaped("torch.zeros(ReadOnlySpan<Int64>, ScalarType?, Device, Boolean, String[])", shape => zeros(Span(shape)))
        .Shaped("torch.ones(ReadOnlySpan<Int64>, ScalarType?, Device, Boolean, String[])", shape => ones(Span(shape)))
        .Shaped("torch.full(Int64[], Scalar, ScalarType?, Device, Boolean, String[])", shape => Scalars.Filled(shape, 1.5, float32, CPU))
        .Lives("not a number as a whole one", () => Scalars.Filled([2], double.NaN, ScalarType.Int64, CPU))
        .Unary("Tensor.zeros_like(ScalarType?, Device, Boolean)", x => x.zeros_like())
        .Fails("on a device that is not there", () => F(2).zeros_like(device: new Device(DeviceType.CUDA, 99)))
        .On("TensorMemory.Over").Fails("a negative extent", () => TensorMemory.Over(0, [2, -3], ScalarType.Float32))
        .Lives("an unknown type", () => TensorMemory.Over(0, [0], (ScalarType)99))
        .Lives("nothing at nowhere", () => TensorMemory.Over(0, [0], ScalarType.Float32));

    private static ReadOnlySpan<long> Span(long[] shape) => shape;

    private static WrongCalls Facts() => new WrongCalls()
        .Fact("Tensor.get_dtype()", x => x.dtype)
        .Fact("Tensor.get_shape()", x => x.shape)
        .Fact("Tensor.get_device()", x => x.device)
        .Fact("Tensor.get_Handle()", x => x.Handle)
        .Fact("Tensor.get_is_leaf()", x => x.is_leaf)
        .Fact("Tensor.get_requires_grad()", x => x.requires_grad)
        .Fact("Tensor.numel()", x => x.numel())
        .Fact("Tensor.dim()", x => x.dim())
        .Fact("Tensor.element_size()", x => x.element_size())
        .Fact("Tensor.stride()", x => x.stride())
        .Dimension("Tensor.size(Int32)", (x, dim) => x.size((int)Math.Clamp(dim, int.MinValue, int.MaxValue)))
        .Unary("Tensor.item()", x => x.item<float>(), isVast: false)
        .Fails("two elements", () => F(2).item<float>()).Fails("as another type", () => F(1).item<long>())
        .Fails("vast", () => Vast().item<float>())
        .Unary("Tensor.ToScalar()", x => x.ToScalar(), isVast: false)
        .Fails("two elements", () => F(2).ToNumber()).Fails("none", () => F(0).ToNumber()).Fails("vast", () => Vast().ToNumber())
        .Fails("without memory", () => Meta().ToNumber())
        .Pair("Tensor.Equals(Tensor)", (x, y) => x.Equals(y))
        .Lives("[2, 3] and [4, 5]", () => F(2, 3).Equals(F(4, 5)));

    private static WrongCalls Elementwise() => new WrongCalls()
        .Binary("Tensor.op_Subtraction(Tensor, Tensor)", (x, y) => x - y)
        .Binary("Tensor.op_Multiply(Tensor, Tensor)", (x, y) => x * y)
        .Binary("Tensor.op_Division(Tensor, Tensor)", (x, y) => x / y)
        .Binary("Tensor.le(Tensor)", (x, y) => x.le(y))
        .Binary("Tensor.gt(Tensor)", (x, y) => x.gt(y))
        .Unary("Tensor.add(Scalar, Scalar)", x => x.plus(0.5))
        .Unary("Tensor.mul(Scalar)", x => x.times(double.NaN))
        .Unary("Tensor.div(Scalar, RoundingMode)", x => x.over(0))
        .Unary("Tensor.logical_not()", x => x.logical_not())
        .Unary("Tensor.reciprocal()", x => x.reciprocal())
        .Unary("Tensor.op_UnaryNegation(Tensor)", x => -x)
        .Unary("Tensor.add(Tensor, Scalar)", x => x.plus(x, 0.5))
        .Binary("Tensor.add(Tensor, Scalar)", (x, y) => x.plus(y, 0.5)).Binary("Tensor.add(Tensor, Scalar)", (x, y) => x.plus(y))
        .Fails("a fraction of whole numbers", () => I(2).plus(I(2), 0.5))
        .Unary("Tensor.eq(Scalar)", x => x.equals(1))
        .Unary("Tensor.cos()", x => x.cos()).Unary("Tensor.sin()", x => x.sin()).Unary("Tensor.tanh()", x => x.tanh())
        .Unary("Tensor.sqrt()", x => x.sqrt()).Unary("Tensor.rsqrt()", x => x.rsqrt())
        .Unary("Tensor.relu()", x => x.relu()).Unary("Tensor.silu()", x => x.silu()).Unary("Tensor.gelu()", x => x.gelu())
        .Unary("Tensor.gelu(Approximate)", x => x.gelu(TorchSharp.Modules.GELU.Approximate.tanh))
        .Unary("nn.functional.relu(Tensor, Boolean)", x => functional.relu(x))
        .Unary("Tensor.isfinite()", x => x.isfinite())
        .Unary("Tensor.clone()", x => x.clone()).Unary("Tensor.contiguous()", x => x.contiguous())
        .Unary("Tensor.cpu()", x => x.cpu(), isVast: false).Unary("Tensor.detach()", x => x.detach(), isVast: false)
        .Fails("without memory", () => Meta(2, 3).cpu())
        .Unary("Tensor.to(ScalarType, Boolean, Boolean, Boolean)", x => x.to(ScalarType.Float64))
        .Fails("an unknown type", () => F(2).to((ScalarType)99))
        .Unary("Tensor.to(Device, Boolean, Boolean, Boolean)", x => x.to(CPU), isVast: false)
        .Fails("a device that is not there", () => F(2).to(new Device(DeviceType.CUDA, 99)))
        .Fails("a device of a kind that is not there", () => F(2).to(new Device(DeviceType.MPS)))
        .Pair("torch.where(Tensor, Tensor, Tensor)", (x, y) => where(B(2, 3), x, y))
        .Fails("shapes", () => where(B(2, 3), F(4, 5), F(2, 3))).Fails("no truth values", () => where(F(2, 3), F(2, 3), F(2, 3)))
        .Fails("a disposed condition", () => where(Gone(), F(2, 3), F(2, 3)))
        .Fails("a result that does not fit in memory", () => where(B(1), Vast(), F(1)))
        .Pair("Tensor.masked_fill(Tensor, Scalar)", (x, mask) => x.masked_fill(mask, 1))
        .Fails("a mask of another shape", () => F(2, 3).masked_fill(B(4), 1))
        .Fails("no truth values", () => F(2, 3).masked_fill(F(2, 3), 1))
        .Fails("a result that does not fit in memory", () => Vast().masked_fill(B(1), 1))
        .Lives("not a number among whole ones", () => I(2).masked_fill(B(2), double.NaN));

    private static WrongCalls Writing() => new WrongCalls()
        .InPlace("Tensor.copy_(Tensor, Boolean)", (x, y) => x.copy_(y))
        .InPlace("Tensor.add_(Tensor)", (x, y) => x.add_(y)).InPlace("Tensor.add_(Tensor, Scalar)", (x, y) => x.add_(y, 0.5))
        .Fails("fractions into whole numbers", () => I(2).add_(F(2), 1))
        .InPlace("Tensor.sub_(Tensor)", (x, y) => x.sub_(y)).InPlace("Tensor.mul_(Tensor)", (x, y) => x.mul_(y))
        .InPlace("Tensor.div_(Tensor, RoundingMode)", (x, y) => x.div_(y)).Fails("whole numbers", () => I(2).div_(I(2)))
        .InPlace("Tensor.addcmul_(Tensor, Tensor, Scalar)", (x, y) => x.addcmul_(y, y, 0.5))
        .Fails("[2] and [3]", () => F(2).addcmul_(F(2), F(3), 1))
        .InPlace("Tensor.addcdiv_(Tensor, Tensor, Scalar)", (x, y) => x.addcdiv_(y, y, 0.5))
        .Fails("whole numbers", () => I(2).addcdiv_(I(2), I(2), 1))
        .InPlace("Tensor.addcdiv_(Tensor, Tensor)", (x, y) => x.addcdiv_(y, y))
        .InPlace("Tensor.lerp_(Tensor, Tensor)", (x, y) => x.lerp_(y, y))
        .Fails("a weight of another type", () => F(2).lerp_(F(2), Of(ScalarType.Float64, 2)))
        .InPlace("Tensor.add_(Scalar)", (x, y) => x.add_(y.ToScalar())).InPlace("Tensor.mul_(Scalar)", (x, y) => x.mul_(y.ToScalar()))
        .InPlace("Tensor.sub_(Scalar)", (x, y) => x.sub_(y.ToScalar()))
        .InPlace("Tensor.div_(Scalar, RoundingMode)", (x, y) => x.div_(y.ToScalar()))
        .On("Tensor.zero_()").Fails("disposed", () => Gone().zero_()).Fails("a leaf", () => Recorded(() => Leaf(2).zero_()))
        .Lives("without memory", () => Meta(2).zero_())
        .On("Tensor.fill_(Scalar)").Fails("disposed", () => Gone().fill_(1))
        .Lives("not a number into whole ones", () => I(2).fill_(double.NaN));

    private static WrongCalls Along() => new WrongCalls()
        .Dimension("Tensor.log_softmax(Int64, ScalarType?)", (x, dim) => x.log_softmax(dim))
        .Fails("a result that does not fit in memory", () => VastMatrix().log_softmax(1))
        .Dimension("Tensor.softmax(Int64, ScalarType?)", (x, dim) => x.softmax(dim))
        .Fails("a result that does not fit in memory", () => VastMatrix().softmax(1))
        .Dimension("Tensor.logsumexp(Int64, Boolean)", (x, dim) => x.logsumexp(dim))
        .Dimension("Tensor.sum(Int64, Boolean, ScalarType?)", (x, dim) => x.sum(dim))
        .Lives("an unknown type", () => F(2).sum(0L, false, (ScalarType)99))
        .Unary("Tensor.sum(ScalarType?)", x => x.sum(), isVast: false)
        .Dimension("Tensor.mean(Int64[], Boolean, ScalarType?)", (x, dim) => x.mean([dim]))
        .Fails("a dimension twice", () => F(2, 3).mean([0, 0])).Lives("no dimension", () => F(2, 3).mean([]))
        .Dimension("Tensor.amax(ReadOnlySpan<Int64>, Boolean, Tensor)", (x, dim) => x.amax(new ReadOnlySpan<long>([dim])))
        .Fails("a dimension twice", () => F(2, 3).amax(new ReadOnlySpan<long>([1, 1])))
        .Fails("of nothing", () => F(0).amax(new ReadOnlySpan<long>([0])))
        .Unary("Tensor.norm(Single)", x => x.norm(), isVast: false).Lives("of order NaN", () => F(2).norm(float.NaN))
        .Unary("Tensor.all()", x => x.all(), isVast: false)
        .Dimension("Tensor.squeeze(Int64?)", (x, dim) => x.squeeze(dim)).Lives("no dimension", () => F(2, 1).squeeze())
        .Dimension("Tensor.unsqueeze(Int64)", (x, dim) => x.unsqueeze(dim is 2 ? 3 : dim is -3 ? -4 : dim is 1 && x.dim() == 0 ? 2 : dim))
        .Dimension("Tensor.transpose(Int64, Int64)", (x, dim) => x.transpose(0, dim))
        .Dimension("Tensor.narrow(Int64, Int64, Int64)", (x, dim) => x.narrow(dim, 0, 0))
        .Fails("beyond the end", () => F(2, 3).narrow(1, 2, 2)).Fails("a negative length", () => F(2, 3).narrow(1, 0, -1))
        .Fails("before the start", () => F(2, 3).narrow(1, -4, 1))
        .Fails("the largest numbers", () => F(2).narrow(0, long.MaxValue, long.MaxValue))
        .Dimension("Tensor.gather(Int64, Tensor)", (x, dim) => x.gather(dim, I(x.shape) * 0))
        .Fails("an index beyond the end", () => F(2, 3).gather(1, I(2, 3) * 3))
        .Fails("an index before the start", () => F(2, 3).gather(1, I(2, 3) * -1))
        .Fails("the largest index", () => F(2, 3).gather(1, I(2, 3) * long.MaxValue))
        .Fails("an index of fractions", () => F(2, 3).gather(1, F(2, 3)))
        .Fails("an index of another rank", () => F(2, 3).gather(1, I(2))).Fails("an index that is larger", () => F(2, 3).gather(1, I(5, 3)))
        .Fails("a disposed index", () => F(2, 3).gather(1, Gone()))
        .Lives("an index on no real device", () => F(2, 3).gather(1, Meta(2, 3).to(ScalarType.Int64)))
        .Fails("a result that does not fit in memory", () => VastMatrix().gather(1, (I(1, 1) * 0).expand(1L << 25, 1L << 25)))
        .Dimension("Tensor.index_select(Int64, Tensor)", (x, dim) => x.index_select(dim, I(1) * 0))
        .Fails("an index beyond the end", () => F(2, 3).index_select(0, I(4) * 2))
        .Fails("an index before the start", () => F(2, 3).index_select(0, I(4) * -3))
        .Fails("the largest index", () => F(2, 3).index_select(0, I(4) * long.MaxValue))
        .Fails("an index of fractions", () => F(2, 3).index_select(0, F(2)))
        .Fails("an index of two dimensions", () => F(2, 3).index_select(0, I(2, 2)))
        .Fails("a disposed index", () => F(2, 3).index_select(0, Gone()))
        .Fails("of a scalar, out of range", () => F().index_select(0, I(1) * 7))
        .Fails("beyond the end, 2^20 times 2^12", () => F(2, 1 << 12).index_select(0, I(1 << 8) * 2))
        .Lives("an index on no real device", () => F(2, 3).index_select(0, Meta(2).to(ScalarType.Int64)))
        .Fails("a result that does not fit in memory", () => F(2, 3).index_select(0, (I(1) * 0).expand(Endless)));

    private static WrongCalls Arranging() => new WrongCalls()
        .Shaped("Tensor.view(Int64[])", shape => F(7).view(shape)).Fails("another number of elements", () => F(2, 3).view(4, 2))
        .Fails("two to be found", () => F(6).view(-1, -1)).Fails("strides that do not fit", () => F(2, 3).t().view(6))
        .Fails("disposed", () => Gone().view(6))
        .Fails("one to be found of nothing", () => F(0).view(-1, 0)).Fails("no divisor", () => F(6).view(-1, 4))
        .Shaped("Tensor.reshape(Int64[])", shape => F(7).reshape(shape)).Fails("another number of elements", () => F(2, 3).reshape(4, 2))
        .Fails("two to be found", () => F(6).reshape(-1, -1)).Fails("disposed", () => Gone().reshape(6))
        .Fails("a copy that does not fit in memory", () => F(2, 1).expand(2, 1L << 49).t().reshape(-1))
        .On("Tensor.expand(Int64[])").Fails("another extent", () => F(2, 3).expand(4, 3)).Fails("fewer dimensions", () => F(2, 3).expand(3))
        .Fails("more elements than can be counted", () => F(1, 1).expand(1L << 40, 1L << 40))
        .Fails("a negative extent", () => F(1).expand(-5))
        .Fails("a new one to be found", () => F(1).expand(-1, 1)).Fails("disposed", () => Gone().expand(2, 3))
        .Fails("no shape", () => F(1).expand((long[])null!))
        .On("Tensor.t()").Fails("three dimensions", () => F(2, 3, 4).t()).Fails("disposed", () => Gone().t())
        .Lives("a scalar", () => F().t())
        .On("Tensor.tril(Int64)").Fails("one dimension", () => F(3).tril()).Fails("disposed", () => Gone().tril())
        .Lives("beyond", () => F(2, 3).tril(long.MaxValue)).Lives("before", () => F(2, 3).tril(long.MinValue))
        .Fails("vast", () => VastMatrix().tril())
        .On("Tensor.triu(Int64)").Fails("one dimension", () => F(3).triu()).Fails("disposed", () => Gone().triu())
        .Lives("beyond", () => F(2, 3).triu(long.MaxValue)).Lives("before", () => F(2, 3).triu(long.MinValue))
        .Fails("vast", () => VastMatrix().triu())
        .Joining("torch.cat(IList<Tensor>, Int64)", (parts, dim) => cat(parts.ToList(), dim))
        .Joining("torch.cat(ReadOnlySpan<Tensor>, Int64)", (parts, dim) => cat(new ReadOnlySpan<Tensor>(parts), dim))
        .Joining("torch.stack(IEnumerable<Tensor>, Int64)", (parts, dim) => stack(parts, dim > 1 ? dim + 1 : dim < -2 ? dim - 1 : dim));

    private static WrongCalls Joining(this WrongCalls calls, string member, Func<Tensor[], long, object?> of) => calls
        .Dimension(member, (x, dim) => of([x, x], x.dim() == 0 && dim != 0 ? 7 : dim))
        .Fails("nothing", () => of([], 0)).Fails("other shapes", () => of([F(2, 3), F(4, 5)], 0))
        .Fails("other ranks", () => of([F(2, 3), F(2)], 0))
        .Lives("other types", () => of([F(2, 3), I(2, 3), B(2, 3)], 0)).Lives("other devices", () => of([F(2, 3), Meta(2, 3)], 0))
        .Fails("one disposed", () => of([F(2, 3), Gone()], 0)).Fails("one missing", () => of([F(2, 3), null!], 0))
        .Fails("a result that does not fit in memory", () => of([Vast(), Vast()], 0));

    private static WrongCalls Products() => new WrongCalls()
        .Product("Tensor.mm(Tensor)", (x, y) => x.mm(y)).Fails("three dimensions", () => F(2, 2, 2).mm(F(2, 2)))
        .Fails("a result that does not fit in memory", () => F(1, 1).expand(1L << 25, 1).mm(F(1, 1).expand(1, 1L << 25)))
        .Product("Tensor.mv(Tensor)", (x, y) => x.mv(y)).Fails("another length", () => F(2, 3).mv(F(2)))
        .Fails("a result that does not fit in memory", () => F(1, 1).expand(Endless, 1).mv(F(1)))
        .Product("Tensor.bmm(Tensor)", (x, y) => x.bmm(y)).Fails("other batches", () => F(2, 3, 4).bmm(F(3, 4, 5)))
        .Fails("other extents", () => F(2, 3, 4).bmm(F(2, 3, 4)))
        .Fails("a result that does not fit in memory", () => F(1, 1, 1).expand(1, 1L << 25, 1).bmm(F(1, 1, 1).expand(1, 1, 1L << 25)))
        .Product("Tensor.dot(Tensor)", (x, y) => x.dot(y)).Fails("other lengths", () => F(2).dot(F(3))).Lives("empty", () => F(0).dot(F(0)))
        .Product("BatchProduct.batched_mm", (x, y) => x.batched_mm(y)).Fails("other leading ones", () => F(2, 3, 4).batched_mm(F(3, 4, 5)))
        .Product("nn.functional.linear(Tensor, Tensor, Tensor)", (x, y) => functional.linear(x, y.t()))
        .Fails("a bias of another length", () => functional.linear(F(2, 3), F(4, 3), F(5)))
        .Fails("a bias of another type", () => functional.linear(F(2, 3), F(4, 3), I(4)))
        .Fails("a disposed bias", () => functional.linear(F(2, 3), F(4, 3), Gone()))
        .Fails("a bias of two dimensions", () => functional.linear(F(2, 3), F(4, 3), F(3, 4)))
        .Fails("a result that does not fit in memory", () => functional.linear(F(1, 1).expand(1L << 25, 1), F(1, 1).expand(1L << 25, 1)))
        .On("nn.functional.layer_norm(Tensor, Int64[], Tensor, Tensor, Double)")
        .Fails("another shape", () => functional.layer_norm(F(2, 3), [4])).Fails("no shape", () => functional.layer_norm(F(2, 3), []))
        .Fails("more dimensions", () => functional.layer_norm(F(3), [2, 3]))
        .Fails("another weight", () => functional.layer_norm(F(2, 3), [3], F(4), F(3)))
        .Fails("another bias", () => functional.layer_norm(F(2, 3), [3], F(3), F(2))).Fails("a bias of another type",
            () => functional.layer_norm(F(2, 3), [3], F(3), I(3)))
        .Fails("whole numbers", () => functional.layer_norm(I(2, 3), [3])).Fails("disposed", () => functional.layer_norm(Gone(), [3]))
        .Fails("a disposed weight", () => functional.layer_norm(F(2, 3), [3], Gone()))
        .Lives("empty", () => functional.layer_norm(F(0, 3), [3]))
        .Lives("rows of nothing", () => functional.layer_norm(F(2, 0), [0]))
        .Lives("eps NaN", () => functional.layer_norm(F(2, 3), [3], eps: double.NaN))
        .Lives("a weight on no real device", () => functional.layer_norm(F(2, 3), [3], Meta(3), Meta(3)))
        .Fails("a result that does not fit in memory", () => functional.layer_norm(VastMatrix(), [1L << 25]))
        .On("nn.functional.scaled_dot_product_attention(Tensor, Tensor, Tensor, Tensor, Double, Boolean)")
        .Fails("other extents", () => functional.scaled_dot_product_attention(F(1, 2, 3, 4), F(1, 2, 3, 5), F(1, 2, 3, 5)))
        .Fails("another mask", () => functional.scaled_dot_product_attention(F(1, 2, 3, 4), F(1, 2, 3, 4), F(1, 2, 3, 4), F(7, 7)))
        .Fails("other types", () => functional.scaled_dot_product_attention(F(1, 2, 3, 4), I(1, 2, 3, 4), F(1, 2, 3, 4)))
        .Fails("one dimension", () => functional.scaled_dot_product_attention(F(4), F(4), F(4)))
        .Fails("disposed", () => functional.scaled_dot_product_attention(F(1, 2, 3, 4), Gone(), F(1, 2, 3, 4)));

    private static WrongCalls Product(this WrongCalls calls, string member, Func<Tensor, Tensor, object?> of) => calls
        .Pair(member, of)
        .Fails("[2, 3] and [4, 5]", () => of(F(2, 3), F(4, 5)))
        .Fails("[2, 3] and a scalar", () => of(F(2, 3), F())).Fails("a scalar and [2, 3]", () => of(F(), F(2, 3)))
        .Fails("Float32 and Float64", () => of(F(2, 3), Of(ScalarType.Float64, 3, 2)))
        .Fails("Float32 and whole numbers", () => of(F(2, 3), I(3, 2))).Lives("nothing inside", () => of(F(2, 0), F(0, 3)));

    private static WrongCalls Differentiating() => new WrongCalls()
        .On("Tensor.requires_grad_(Boolean)").Fails("whole numbers", () => I(2).requires_grad_())
        .Fails("disposed", () => Gone().requires_grad_())
        .Lives("off for what was computed", () => Recorded(() => (Leaf(2) * 2).requires_grad_(false)))
        .Fact("Tensor.get_grad()", x => x.grad)
        .Lives("of what was computed", () => Recorded(() => (Leaf(2) * 2).grad))
        .On("Tensor.set_grad(Tensor)").Lives("another shape", () => Leaf(2).grad = F(3)).Lives("another type", () => Leaf(2).grad = I(2))
        .Lives("on another device", () => Leaf(2).grad = Meta(2)).Fails("of a disposed one", () => Gone().grad = F(2, 3))
        .Fails("disposed", () => Leaf(2, 3).grad = Gone())
        .Lives("none", () => Leaf(2).grad = null!)
        .On("autograd.backward(IList<Tensor>, IList<Tensor>, Boolean?, Boolean, IList<Tensor>)")
        .Gradient(Raw)
        .On("Gradients.Of, plain").Gradient((outputs, inputs, vectors) => Gradients.Of(outputs, inputs, vectors))
        .On("Gradients.Of, recorded").Gradient((outputs, inputs, vectors) => Gradients.Of(outputs, inputs, vectors, createGraph: true));

    private static object? Raw(IReadOnlyList<Tensor> outputs, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor>? vectors)
    {
        autograd.backward([.. outputs], vectors is null ? null : [.. vectors], null, false, [.. inputs]);
        return null;
    }

    private static WrongCalls Gradient(
        this WrongCalls calls, Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>, IReadOnlyList<Tensor>?, object?> of) => calls
        .Fails("a vector of another shape", () => OfLeaf(x => of([x * 2], [x], [F(3)])))
        .Fails("a vector of another device", () => OfLeaf(x => of([x * 2], [x], [Meta(2, 3)])))
        .Fails("no vector for two elements", () => OfLeaf(x => of([x * 2], [x], null)))
        .Fails("two vectors for one output", () => OfLeaf(x => of([x * 2], [x], [F(2, 3), F(2, 3)])))
        .Fails("an output that is not recorded", () => OfLeaf(x => of([F()], [x], null)))
        .Lives("no output", () => OfLeaf(x => of([], [x], null)))
        .Fails("a disposed output", () => OfLeaf(x => of([Gone()], [x], null)))
        .Fails("a disposed input", () => OfLeaf(x => of([x.sum()], [Gone()], null)))
        .Fails("a disposed vector", () => OfLeaf(x => of([x * 2], [x], [Gone()])))
        .Fails("whole numbers as an input", () => OfLeaf(x => of([x.sum()], [I(2)], null)))
        .Fails("a graph that was freed", () => OfLeaf(x =>
        {
            var loss = x.pow(3).sum();
            Raw([loss], [x], null);
            x.grad = null!;
            return of([loss], [x], null);
        }))
        .Fails("a value that was written over", () => OfLeaf(x =>
        {
            var square = x * x;
            var loss = (square * square).sum();
            using (no_grad()) square.add_(1);
            return of([loss], [x], null);
        }))
        .Fails("no memory on the way", () => Recorded(() =>
        {
            var x = Leaf(1);
            return of([x.expand(Endless).narrow(0, 0, 3).pow(3).sum()], [x], null);
        }));

    private static object? OfLeaf(Func<Tensor, object?> call) => Recorded(() => call(Leaf(2, 3)));
}
