using System.Runtime.InteropServices;
using System.Text;

namespace LlmStageAudit.LibTorch;

/// <summary>
/// An operator of libtorch's dispatcher, found once by its schema name and called through the boxed calling convention.
/// Trailing arguments that are not given take the schema's defaults. Autograd, devices and dtypes are the dispatcher's.
/// </summary>
public sealed unsafe class Operator
{
    private const int ResultCapacity = 256;
    private const int ScratchBytes = 1024;

    private readonly string _name;
    private readonly Lazy<nint> _handle;

    /// <param name="name">For example "aten::add".</param>
    /// <param name="overload">For example "Tensor"; empty for the default overload.</param>
    public Operator(string name, string overload = "")
    {
        _name = overload.Length == 0 ? name : $"{name}.{overload}";
        _handle = new Lazy<nint>(() =>
        {
            var found = Native.OperatorFind(name, overload);
            return found != 0 ? found : throw TorchException.FromNative(_name, "");
        });
    }

    /// <summary>Calls an operator that returns one tensor; the tensor belongs to the current dispose scope.</summary>
    public torch.Tensor Call(params ReadOnlySpan<OperatorArgument> arguments)
    {
        NativeValue result;
        var count = Invoke(arguments, &result, 1);
        return count == 1 && result.Tag == ValueTag.Tensor
            ? new torch.Tensor((nint)result.Bits)
            : throw TorchException.Of(_name, Describe(arguments), $"returned {count} values, one tensor expected");
    }

    /// <summary>Calls an operator that returns several tensors.</summary>
    public torch.Tensor[] CallMany(params ReadOnlySpan<OperatorArgument> arguments)
    {
        var results = stackalloc NativeValue[ResultCapacity];
        var tensors = new torch.Tensor[Invoke(arguments, results, ResultCapacity)];
        for (var i = 0; i < tensors.Length; i++) tensors[i] = new torch.Tensor((nint)results[i].Bits);
        return tensors;
    }

    /// <summary>Calls an operator that returns one number.</summary>
    public double CallNumber(params ReadOnlySpan<OperatorArgument> arguments)
    {
        NativeValue result;
        Invoke(arguments, &result, 1);
        return result.Tag == ValueTag.Double ? BitConverter.Int64BitsToDouble(result.Bits) : result.Bits;
    }

    private int Invoke(ReadOnlySpan<OperatorArgument> arguments, NativeValue* results, int capacity)
    {
        // Lists and strings are copied beside the values for the time of the call.
        var bytes = 0;
        foreach (var argument in arguments) bytes += ListBytes(argument);
        var scratch = stackalloc byte[ScratchBytes];
        var lists = bytes <= ScratchBytes ? scratch : (byte*)NativeMemory.Alloc((nuint)bytes);
        try
        {
            var values = stackalloc NativeValue[arguments.Length];
            var next = lists;
            for (var i = 0; i < arguments.Length; i++) values[i] = Encode(arguments[i], ref next);
            var count = Native.OperatorCall(_handle.Value, values, arguments.Length, results, capacity);
            foreach (var argument in arguments) GC.KeepAlive(argument.Reference);
            return count >= 0 ? count : throw TorchException.FromNative(_name, Describe(arguments));
        }
        finally
        {
            if (lists != scratch) NativeMemory.Free(lists);
        }
    }

    private static int ListBytes(OperatorArgument argument) => argument.Tag switch
    {
        ValueTag.IntList => 8 * ((long[])argument.Reference!).Length,
        ValueTag.TensorList => 8 * ((torch.Tensor[])argument.Reference!).Length,
        ValueTag.String or ValueTag.Device => (Encoding.UTF8.GetByteCount((string)argument.Reference!) + 7) / 8 * 8,
        _ => 0,
    };

    private static NativeValue Encode(OperatorArgument argument, ref byte* next)
    {
        var value = new NativeValue { Tag = argument.Tag, Bits = argument.Bits };
        switch (argument.Tag)
        {
            case ValueTag.Tensor:
                value.Bits = ((torch.Tensor)argument.Reference!).Handle;
                return value;
            case ValueTag.IntList:
                var integers = (long[])argument.Reference!;
                value.Length = integers.Length;
                integers.AsSpan().CopyTo(new Span<long>(next, integers.Length));
                break;
            case ValueTag.TensorList:
                var tensors = (torch.Tensor[])argument.Reference!;
                value.Length = tensors.Length;
                for (var i = 0; i < tensors.Length; i++) ((nint*)next)[i] = tensors[i].Handle;
                break;
            case ValueTag.String or ValueTag.Device:
                var text = (string)argument.Reference!;
                value.Length = Encoding.UTF8.GetBytes(text, new Span<byte>(next, Encoding.UTF8.GetByteCount(text)));
                break;
            default:
                return value;
        }

        value.Bits = (long)next;
        next += ListBytes(argument);
        return value;
    }

    private static string Describe(ReadOnlySpan<OperatorArgument> arguments)
    {
        var text = new StringBuilder();
        foreach (var argument in arguments) text.Append(text.Length == 0 ? "" : ", ").Append(argument.ToString());
        return text.ToString();
    }
}
