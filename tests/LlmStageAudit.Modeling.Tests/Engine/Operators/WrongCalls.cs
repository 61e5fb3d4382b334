namespace LlmStageAudit.Modeling.Tests.Engine.Operators;

/// <summary>Collects wrong calls; operators of one kind have the same ones.</summary>
internal sealed class WrongCalls
{
    private readonly List<WrongCall> _calls = [];
    private string _member = "";

    public IReadOnlyList<WrongCall> All => _calls;

    /// <summary>More bytes than any machine addresses.</summary>
    public static long Endless => 1L << 50;

    /// <summary>Float32 ones; most wrong calls are about them.</summary>
    public static Tensor F(params long[] shape) => ones(shape);

    public static Tensor Of(ScalarType dtype, params long[] shape) => ones(shape, dtype);

    public static Tensor I(params long[] shape) => ones(shape, ScalarType.Int64);

    public static Tensor B(params long[] shape) => ones(shape, ScalarType.Bool);

    /// <summary>On a device without memory: any other than the CPU there is on every machine.</summary>
    public static Tensor Meta(params long[] shape) => empty(shape, device: new Device(DeviceType.META));

    public static Tensor NaN(params long[] shape) => full(shape, double.NaN);

    public static Tensor Gone()
    {
        var gone = ones([2, 3]);
        gone.Dispose();
        return gone;
    }

    /// <summary>One element that counts for 2^50; a tensor computed from it would not fit.</summary>
    public static Tensor Vast() => ones([1]).expand(Endless);

    /// <summary>The same as a matrix.</summary>
    public static Tensor VastMatrix() => ones([1, 1]).expand(1L << 25, 1L << 25);

    public static Tensor Leaf(params long[] shape) => ones(shape).requires_grad_();

    /// <summary>The member that what follows is about.</summary>
    public WrongCalls On(string member)
    {
        _member = member;
        return this;
    }

    public WrongCalls Fails(string what, Func<object?> call) => Add(what, true, call);

    public WrongCalls Lives(string what, Func<object?> call) => Add(what, false, call);

    /// <summary>Reads something of a tensor without computing.</summary>
    public WrongCalls Fact(string member, Func<Tensor, object?> of) => On(member)
        .Fails("disposed", () => of(Gone()))
        .Lives("on no real device", () => of(Meta(2, 3)))
        .Lives("a scalar", () => of(F()))
        .Lives("empty", () => of(F(0)));

    /// <summary>Whatever the dtype and values, for operators of one tensor.</summary>
    public WrongCalls Unary(string member, Func<Tensor, object?> of, bool isVast = true)
    {
        Fact(member, of);
        foreach (var dtype in (ScalarType[])[ScalarType.Int64, ScalarType.Bool, ScalarType.Byte, ScalarType.BFloat16, ScalarType.ComplexFloat32])
            Lives($"{dtype}", () => of(Of(dtype, 2, 3)));
        Lives("not a number", () => of(NaN(2, 3)));
        Lives("a view", () => of(F(3, 2).t()));
        Lives("a leaf", () => of(Leaf(2, 3)));
        return isVast ? Fails("a result that does not fit in memory", () => of(Vast())) : this;
    }

    /// <summary>For operators of two tensors that are stretched to each other's shape.</summary>
    public WrongCalls Binary(string member, Func<Tensor, Tensor, object?> of)
    {
        Pair(member, of);
        return Fails("[2, 3] and [4, 5]", () => of(F(2, 3), F(4, 5)))
            .Fails("[2, 3] and [2]", () => of(F(2, 3), F(2)))
            .Lives("empty and one", () => of(F(0), F(1)))
            .Fails("empty and two", () => of(F(0), F(2)))
            .Fails("a result that does not fit in memory", () => of(Vast(), F(1)))
            .Fails("vast both ways", () => of(F(1, 1).expand(1L << 25, 1), F(1, 1).expand(1, 1L << 25)))
            .Fails("more elements than can be counted", () => of(F(1, 1).expand(1L << 40, 1), F(1, 1).expand(1, 1L << 40)));
    }

    /// <summary>For operators of two tensors, of whatever shapes.</summary>
    public WrongCalls Pair(string member, Func<Tensor, Tensor, object?> of)
    {
        On(member)
            .Fails("the left one disposed", () => of(Gone(), F(2, 3)))
            .Fails("the right one disposed", () => of(F(2, 3), Gone()))
            .Lives("no right one", () => of(F(2, 3), null!))
            .Lives("the left one on another device", () => of(Meta(2, 3), F(2, 3)))
            .Lives("the right one on another device", () => of(F(2, 3), Meta(2, 3)))
            .Lives("scalars", () => of(F(), F()))
            .Lives("not a number", () => of(NaN(2, 3), F(2, 3)));
        ScalarType[] types = [ScalarType.Int64, ScalarType.Bool, ScalarType.Float64, ScalarType.BFloat16, ScalarType.ComplexFloat32];
        foreach (var dtype in types)
        {
            Lives($"Float32 and {dtype}", () => of(F(2, 3), Of(dtype, 2, 3)));
            Lives($"{dtype} and Float32", () => of(Of(dtype, 2, 3), F(2, 3)));
            Lives($"twice {dtype}", () => of(Of(dtype, 2, 3), Of(dtype, 2, 3)));
        }

        return this;
    }

    /// <summary>For operators that write the first tensor, with a second one stretched to its shape.</summary>
    public WrongCalls InPlace(string member, Func<Tensor, Tensor, object?> of)
    {
        Pair(member, of);
        return Fails("[2, 3] and [4, 5]", () => of(F(2, 3), F(4, 5)))
            .Fails("a second one that is larger", () => of(F(3), F(2, 3)))
            .Fails("a leaf that is recorded", () => Recorded(() => of(Leaf(2, 3), F(2, 3))))
            .Fails("places that are one", () => of(F(1, 3).expand(2, 3), F(2, 3)))
            .Fails("vast", () => of(F(1), Vast()));
    }

    /// <summary>For operators along one dimension.</summary>
    public WrongCalls Dimension(string member, Func<Tensor, long, object?> of)
    {
        On(member);
        foreach (var dim in (long[])[2, -3, long.MaxValue, long.MinValue]) Fails($"dimension {dim} of 2", () => of(F(2, 3), dim));
        return Fails("disposed", () => of(Gone(), 0))
            .Lives("dimension 0 of a scalar", () => of(F(), 0))
            .Fails("dimension 1 of a scalar", () => of(F(), 1))
            .Lives("an empty dimension", () => of(F(2, 0), 1))
            .Lives("an empty tensor", () => of(F(0, 3), 0))
            .Lives("whole numbers", () => of(I(2, 3), 0))
            .Lives("truth values", () => of(B(2, 3), 0))
            .Lives("complex numbers", () => of(Of(ScalarType.ComplexFloat32, 2, 3), 0))
            .Lives("not a number", () => of(NaN(2, 3), 0))
            .Lives("on no real device", () => of(Meta(2, 3), 0));
    }

    /// <summary>For operators that take the shape of their result.</summary>
    public WrongCalls Shaped(string member, Func<long[], object?> of) => On(member)
        .Fails("2^50 elements", () => of([Endless]))
        .Fails("2^62 elements", () => of([1L << 62]))
        .Fails("2^80 elements", () => of([1L << 40, 1L << 40]))
        .Fails("2^64 elements, which is none", () => of([1L << 32, 1L << 32]))
        .Fails("a negative extent", () => of([2, -3]))
        .Fails("the least extent", () => of([long.MinValue]))
        .Lives("an empty dimension beside a vast one", () => of([0, Endless]))
        .Lives("a hundred dimensions", () => of([.. Enumerable.Repeat(1L, 100)]))
        .Lives("no dimension", () => of([]));

    public static object? Recorded(Func<object?> call)
    {
        using var on = enable_grad();
        return call();
    }

    private WrongCalls Add(string what, bool fails, Func<object?> call)
    {
        _calls.Add(new WrongCall(_member, what, fails, () => call()));
        return this;
    }
}
