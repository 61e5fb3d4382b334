namespace LlmStageAudit.LibTorch;

public static partial class torch
{
    public sealed partial class Tensor
    {
        private static readonly torch.Device s_cpu = new("cpu");

        public static Tensor operator +(Tensor left, Tensor right) => Operators.AddTensor.Call(left, right);

        public static Tensor operator +(Tensor left, double right) => Operators.AddScalar.Call(left, right);

        public static Tensor operator -(Tensor left, Tensor right) => Operators.SubTensor.Call(left, right);

        public static Tensor operator -(Tensor left, double right) => Operators.SubScalar.Call(left, right);

        public static Tensor operator -(double left, Tensor right) => Operators.RsubScalar.Call(right, left);

        public static Tensor operator -(Tensor tensor) => Operators.Neg.Call(tensor);

        public static Tensor operator *(Tensor left, Tensor right) => Operators.MulTensor.Call(left, right);

        public static Tensor operator *(Tensor left, double right) => Operators.MulScalar.Call(left, right);

        public static Tensor operator *(double left, Tensor right) => Operators.MulScalar.Call(right, left);

        public static Tensor operator /(Tensor left, Tensor right) => Operators.DivTensor.Call(left, right);

        public static Tensor operator /(Tensor left, double right) => Operators.DivScalar.Call(left, right);

        /// <summary>this + alpha * other.</summary>
        public Tensor add(Tensor other, double alpha) => Operators.AddTensor.Call(this, other, alpha);

        public Tensor pow(double exponent) => Operators.PowScalar.Call(this, exponent);

        public Tensor exp() => Operators.Exp.Call(this);

        public Tensor log() => Operators.Log.Call(this);

        public Tensor sqrt() => Operators.Sqrt.Call(this);

        public Tensor rsqrt() => Operators.Rsqrt.Call(this);

        public Tensor abs() => Operators.Abs.Call(this);

        public Tensor tanh() => Operators.Tanh.Call(this);

        public Tensor sigmoid() => Operators.Sigmoid.Call(this);

        public Tensor sin() => Operators.Sin.Call(this);

        public Tensor cos() => Operators.Cos.Call(this);

        public Tensor softmax(long dim) => Operators.Softmax.Call(this, dim);

        public Tensor log_softmax(long dim) => Operators.LogSoftmax.Call(this, dim);

        public Tensor logsumexp(long dim, bool keepdim = false) => Operators.LogSumExp.Call(this, new[] { dim }, keepdim);

        public Tensor sum() => Operators.Sum.Call(this);

        public Tensor sum(long dim, bool keepdim = false) => Operators.SumDim.Call(this, new[] { dim }, keepdim);

        public Tensor mean() => Operators.Mean.Call(this);

        public Tensor mean(long dim, bool keepdim = false) => Operators.MeanDim.Call(this, new[] { dim }, keepdim);

        public Tensor amax(long dim, bool keepdim = false) => Operators.Amax.Call(this, new[] { dim }, keepdim);

        public Tensor argmax(long dim) => Operators.Argmax.Call(this, dim);

        public Tensor matmul(Tensor other) => Operators.Matmul.Call(this, other);

        public Tensor dot(Tensor other) => Operators.Dot.Call(this, other);

        /// <summary>The Euclidean norm over all elements.</summary>
        public Tensor norm() => Operators.VectorNorm.Call(this);

        public Tensor transpose(long first, long second) => Operators.Transpose.Call(this, first, second);

        public Tensor permute(params long[] dims) => Operators.Permute.Call(this, dims);

        public Tensor view(params long[] shape) => Operators.View.Call(this, shape);

        public Tensor reshape(params long[] shape) => Operators.Reshape.Call(this, shape);

        public Tensor expand(params long[] shape) => Operators.Expand.Call(this, shape);

        public Tensor unsqueeze(long dim) => Operators.Unsqueeze.Call(this, dim);

        public Tensor squeeze(long dim) => Operators.SqueezeDim.Call(this, dim);

        public Tensor narrow(long dim, long start, long length) => Operators.Narrow.Call(this, dim, start, length);

        public Tensor index_select(long dim, Tensor index) => Operators.IndexSelect.Call(this, dim, index);

        public Tensor gather(long dim, Tensor index) => Operators.Gather.Call(this, dim, index);

        public Tensor masked_fill(Tensor mask, double value) => Operators.MaskedFillScalar.Call(this, mask, value);

        public Tensor tril(long diagonal = 0) => Operators.Tril.Call(this, diagonal);

        public Tensor triu(long diagonal = 0) => Operators.Triu.Call(this, diagonal);

        public Tensor eq(double other) => Operators.EqScalar.Call(this, other);

        public Tensor ne(double other) => Operators.NeScalar.Call(this, other);

        public Tensor gt(double other) => Operators.GtScalar.Call(this, other);

        public Tensor le(Tensor other) => Operators.LeTensor.Call(this, other);

        public Tensor ge(Tensor other) => Operators.GeTensor.Call(this, other);

        public Tensor logical_and(Tensor other) => Operators.LogicalAnd.Call(this, other);

        public Tensor logical_not() => Operators.LogicalNot.Call(this);

        /// <summary>Whether every element is a finite number.</summary>
        public bool allfinite()
        {
            using var finite = Operators.IsFinite.Call(this);
            using var all = Operators.All.Call(finite);
            return all.data<bool>()[0];
        }

        /// <summary>Same shape and the same elements.</summary>
        public bool equal(Tensor other) => Operators.Equal.CallNumber(this, other) != 0;

        public Tensor clone() => Operators.Clone.Call(this);

        public Tensor detach() => Operators.Detach.Call(this);

        public Tensor contiguous() => Operators.Contiguous.Call(this);

        /// <summary>The tensor in another dtype; the same storage where it has that dtype already.</summary>
        public Tensor to(ScalarType type) => Operators.ToDtype.Call(this, type, false, false, OperatorArgument.None);

        /// <summary>The tensor on another device; the same storage where it is there already.</summary>
        public Tensor to(Device target) => Operators.ToDevice.Call(this, target, dtype, false, false, OperatorArgument.None);

        public Tensor cpu() => to(s_cpu);

        public Tensor zeros_like() => Operators.ZerosLike.Call(this);

        /// <summary>Overwrites the elements in place.</summary>
        public Tensor copy_(Tensor source)
        {
            using var same = Operators.CopyInPlace.Call(this, source);
            return this;
        }

        /// <summary>Marks a leaf for differentiation and returns it.</summary>
        public Tensor requires_grad_(bool value = true)
        {
            requires_grad = value;
            return this;
        }
    }
}
