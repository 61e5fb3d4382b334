using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;

namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>
/// An array of bytes in the IDX format of the MNIST files, gzipped: two zero bytes, the element type (8: unsigned byte), the number
/// of dimensions, each extent as a big-endian 32-bit number, then the elements row by row.
/// </summary>
internal sealed class IdxFile
{
    private const byte UnsignedByte = 8;

    private IdxFile(int[] shape, byte[] elements) => (Shape, Elements) = (shape, elements);

    public IReadOnlyList<int> Shape { get; }

    public byte[] Elements { get; }

    /// <param name="path">A gzipped IDX file.</param>
    /// <param name="dimensions">How many it must have.</param>
    /// <exception cref="InvalidDataException">It is another format, or its length is not what its head says.</exception>
    public static IdxFile Read(string path, int dimensions)
    {
        using var file = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var held = new MemoryStream();
        file.CopyTo(held);
        var bytes = held.ToArray();
        var headLength = 4 + (4 * dimensions);
        if (bytes.Length < headLength) throw Wrong(path, $"{bytes.Length} bytes", $"a head of {headLength}");
        if (bytes is not [0, 0, UnsignedByte, var found, ..] || found != dimensions)
            throw Wrong(path, $"the magic number {Convert.ToHexString(bytes, 0, 4)}", $"0000{UnsignedByte:X2}{dimensions:X2}");
        int[] shape =
            [.. Enumerable.Range(1, dimensions).Select(i => checked((int)BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(4 * i))))];
        var count = shape.Aggregate(1L, (product, extent) => checked(product * extent));
        if (bytes.Length - headLength != count) throw Wrong(path, $"{bytes.Length - headLength} elements", $"{count}");
        return new IdxFile(shape, bytes[headLength..]);
    }

    private static InvalidDataException Wrong(string path, string found, string expected) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{path}: {found}; expected {expected}, as a gzipped IDX file of bytes has it"));
}
