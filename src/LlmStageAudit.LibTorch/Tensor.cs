using System.Runtime.InteropServices;

namespace LlmStageAudit.LibTorch;

public static partial class torch
{
    /// <summary>
    /// A libtorch tensor. It belongs to the innermost dispose scope of the thread that made it, or else to whoever holds
    /// it; a tensor nobody disposes is freed by its finalizer. Operators are listed in Tensor.Operators.cs.
    /// </summary>
    public sealed unsafe partial class Tensor : IDisposable
    {
        private nint _handle;

        internal Tensor(nint handle)
        {
            _handle = handle;
            DisposeScope.Current?.Include(this);
        }

        ~Tensor() => Free();

        internal DisposeScope? Scope { get; set; }

        internal nint Handle
        {
            get
            {
                ObjectDisposedException.ThrowIf(_handle == 0, this);
                return _handle;
            }
        }

        public long[] shape
        {
            get
            {
                var sizes = stackalloc long[64];
                var rank = Native.TensorShape(Handle, sizes, 64);
                GC.KeepAlive(this);
                return rank >= 0 ? new ReadOnlySpan<long>(sizes, rank).ToArray() : throw TorchException.FromNative("shape", "");
            }
        }

        public int dim()
        {
            var rank = Native.TensorRank(Handle);
            GC.KeepAlive(this);
            return rank;
        }

        public long size(int dimension) => shape[dimension < 0 ? dimension + dim() : dimension];

        public long numel() => shape.Aggregate(1L, (product, extent) => product * extent);

        public ScalarType dtype
        {
            get
            {
                var type = Native.TensorScalarType(Handle);
                GC.KeepAlive(this);
                return (ScalarType)type;
            }
        }

        public Device device
        {
            get
            {
                var text = stackalloc byte[32];
                if (Native.TensorDevice(Handle, text, 32) < 0) throw TorchException.FromNative("device", Description);
                GC.KeepAlive(this);
                return new Device(Marshal.PtrToStringUTF8((nint)text)!);
            }
        }

        public bool requires_grad
        {
            get
            {
                var value = Native.TensorRequiresGrad(Handle) != 0;
                GC.KeepAlive(this);
                return value;
            }

            set
            {
                if (Native.TensorSetRequiresGrad(Handle, value ? 1 : 0) < 0) throw TorchException.FromNative("requires_grad", Description);
                GC.KeepAlive(this);
            }
        }

        /// <summary>dtype and shape, for messages.</summary>
        internal string Description => _handle == 0 ? "disposed" : $"{dtype}[{string.Join(", ", shape)}]";

        /// <summary>Copies the elements to managed memory in row-major order, whatever the device.</summary>
        /// <exception cref="TorchException">T's size does not match the dtype.</exception>
        public T[] data<T>()
            where T : unmanaged
        {
            var values = new T[numel()];
            CopyTo<T>(values);
            return values;
        }

        /// <summary>Copies the elements to managed memory in row-major order, whatever the device.</summary>
        public void CopyTo<T>(Span<T> destination)
            where T : unmanaged
        {
            fixed (T* pointer = destination)
            {
                if (Native.TensorToMemory(Handle, pointer, (long)destination.Length * sizeof(T)) < 0)
                    throw TorchException.FromNative("copy to memory", Description);
            }

            GC.KeepAlive(this);
        }

        /// <summary>The only element of a floating-point tensor, as a double.</summary>
        public double item()
        {
            using var wide = Operators.ToDtype.Call(this, ScalarType.Float64, false, false, OperatorArgument.None);
            return wide.data<double>()[0];
        }

        /// <summary>Frees the native tensor now; harmless when repeated.</summary>
        public void Dispose()
        {
            Scope?.Forget(this);
            Release();
        }

        internal void Release()
        {
            Scope = null;
            Free();
            GC.SuppressFinalize(this);
        }

        public override string ToString() => Description;

        private void Free()
        {
            var handle = Interlocked.Exchange(ref _handle, 0);
            if (handle != 0) Native.TensorFree(handle);
        }
    }
}
