using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Tests.Safetensors;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Reads_names_shapes_offsets_metadata_and_bytes()
    {
        const string header =
            """{"__metadata__":{"format":"pt"}"""
            + ""","b":{"dtype":"I16","shape":[3],"data_offsets":[4,10]}"""
            + ""","a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]}}  """;
        using var file = SafetensorsFile.Open(_scratch.WriteRaw(header, [1, 2, 3, 4, 0xFF, 0x7F, 0, 0, 1, 0]));

        Assert.Equal(["a", "b"], file.Tensors.Keys);
        Assert.Equal("pt", Assert.Single(file.Metadata).Value);
        var b = file.Tensors["b"];
        Assert.Equal((SafetensorsDtype.I16, 8L + header.Length + 4, 6L, 3L), (b.Dtype, b.OffsetBytes, b.SizeBytes, b.ElementCount));
        Assert.Equal([2L, 2L], file.Tensors["a"].Shape);
        var bytes = new byte[6];
        file.Copy(b, 0, bytes);
        Assert.Equal([0xFF, 0x7F, 0, 0, 1, 0], bytes);
    }

    [Fact]
    public void Windows_cover_a_tensor_once_and_in_order()
    {
        const int perWindow = SafetensorsFile.WindowBytes / sizeof(float);
        var path = _scratch["windows.safetensors"];
        var long3 = Enumerable.Range(0, (2 * perWindow) + 7).Select(value => (float)value).ToArray();
        SafetensorsWriter.Write(
            path, [new("x", [2], new[] { 1f, 2f }), new("y", [long3.Length], long3), new("z", [0], Array.Empty<float>())]);
        using var file = SafetensorsFile.Open(path);
        var read = new float[long3.Length];
        var windows = new List<(long First, long Count)>();

        file.ReadWindows(file.Tensors["y"], (address, first, count) =>
        {
            windows.Add((first, count));
            Marshal.Copy(address, read, (int)first, (int)count);
        });
        file.ReadWindows(file.Tensors["z"], (_, _, _) => Assert.Fail("a window of nothing"));

        Assert.Equal([(0, perWindow), (perWindow, perWindow), (2 * perWindow, 7)], windows);
        Assert.Equal(long3, read);
        Assert.Equal(long3, file.ReadSingles("y"));
        var bytes = new byte[file.Tensors["y"].SizeBytes];
        file.Copy(file.Tensors["y"], 0, bytes);
        Assert.True(MemoryMarshal.AsBytes<float>(long3).SequenceEqual(bytes));
    }

    [Fact]
    public void A_file_shortened_while_open_is_an_error_not_a_signal()
    {
        var path = _scratch["cut.safetensors"];
        SafetensorsWriter.Write(path, [new("x", [2], new[] { 1f, 2f }), new("y", [3], new[] { 3f, -4f, 5.5f })]);
        using var file = SafetensorsFile.Open(path);
        Assert.Equal([3f, -4f, 5.5f], file.ReadSingles("y"));

        Shorten(path, file.Tensors["y"].OffsetBytes + 1);

        var message = $"but the file holds {file.Tensors["y"].OffsetBytes + 1} bytes";
        Assert.Equal([1f, 2f], file.ReadSingles("x"));
        Assert.Contains(message, Assert.Throws<CheckpointException>(() => file.ReadSingles("y")).Message);
        Assert.Contains(message, Assert.Throws<CheckpointException>(() => file.Copy(file.Tensors["y"], 0, new byte[12])).Message);
        Assert.Contains(
            message, Assert.Throws<CheckpointException>(() => file.ReadWindows(file.Tensors["y"], static (_, _, _) => { })).Message);
    }

    /// <summary>As another program would: .NET's own locks are advisory, and bind .NET only.</summary>
    private static void Shorten(string path, long sizeBytes)
    {
        using var truncate = System.Diagnostics.Process.Start(
            "truncate", ["--size", sizeBytes.ToString(CultureInfo.InvariantCulture), path]);
        truncate.WaitForExit();
        Assert.Equal(0, truncate.ExitCode);
    }

    [Fact]
    public void Widens_every_floating_dtype_exactly()
    {
        // Bit patterns by hand: binary16 1, the least subnormal 2^-24, -inf; bfloat16 1, -3.140625, the largest; binary64 -2.5 and 0.1.
        byte[] half = [0x00, 0x3C, 0x01, 0x00, 0x00, 0xFC];
        byte[] brain = [0x80, 0x3F, 0x49, 0xC0, 0x7F, 0x7F];
        byte[] wide = [0, 0, 0, 0, 0, 0, 0x04, 0xC0, 0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0x3F];
        const string header =
            """{"h":{"dtype":"F16","shape":[3],"data_offsets":[0,6]}"""
            + ""","b":{"dtype":"BF16","shape":[3,1],"data_offsets":[6,12]}"""
            + ""","d":{"dtype":"F64","shape":[2],"data_offsets":[12,28]}}""";
        using var file = SafetensorsFile.Open(_scratch.WriteRaw(header, [.. half, .. brain, .. wide]));

        Assert.Equal([1f, 5.9604644775390625e-8f, float.NegativeInfinity], file.ReadSingles("h"));
        Assert.Equal([1f, -3.140625f, 3.38953138925153547590e38f], file.ReadSingles("b"));
        Assert.Equal([-2.5f, 0.1f], file.ReadSingles("d"));
    }

    [Fact]
    public void Round_trip_keeps_every_bit_across_chunks()
    {
        var values = new float[(1 << 18) + 5];
        for (var i = 0; i < values.Length; i++) values[i] = BitConverter.Int32BitsToSingle(i * 7919);
        var path = _scratch["long.safetensors"];
        HostTensor[] tensors = [new("nan", [], new[] { float.NaN }), new("long", [values.Length, 1], values), new("none", [0, 3], default)];
        SafetensorsWriter.Write(path, tensors);

        using var file = SafetensorsFile.Open(path);

        Assert.Equal(["nan", "long", "none"], file.Tensors.Keys);
        Assert.True(MemoryMarshal.AsBytes<float>(values).SequenceEqual(MemoryMarshal.AsBytes<float>(file.ReadSingles("long"))));
        Assert.True(float.IsNaN(file.ReadSingles("nan")[0]));
        Assert.Empty(file.ReadSingles("none"));
        Assert.Equal("pt", file.Metadata["format"]);
    }

    [Fact]
    public void Written_bytes_are_the_formats_own()
    {
        var path = _scratch["bytes.safetensors"];
        HostTensor[] tensors = [new("z", [1], new[] { 1f }), new("a", [2, 1], new[] { -2f, 0f })];
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string> { ["k"] = "v" });

        const string header =
            """{"__metadata__":{"k":"v"}"""
            + ""","z":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"""
            + ""","a":{"dtype":"F32","shape":[2,1],"data_offsets":[4,12]}}""";
        var padded = header.PadRight((header.Length + 7) / 8 * 8);
        byte[] expected = ScratchFolder.Raw(Encoding.UTF8.GetBytes(padded), [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0, 0]);
        Assert.Equal(expected, File.ReadAllBytes(path));
    }

    [Fact]
    public void Streaming_writer_asks_for_one_tensor_after_the_other()
    {
        var asked = new List<int>();
        SafetensorsWriter.Write(_scratch["s.safetensors"], [new("p", [1]), new("q", [2])], index =>
        {
            asked.Add(index);
            return new float[index + 1];
        });

        Assert.Equal([0, 1], asked);
    }

    [Fact]
    public void Writer_refuses_what_the_format_cannot_hold_and_leaves_no_file()
    {
        var path = _scratch["refused.safetensors"];
        HostTensor one = new("x", [1], new float[1]);

        Assert.Contains("'x'", Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(path, [one, one])).Message);
        Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(path, [one with { Name = "__metadata__" }]));
        Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(path, [one with { Shape = [long.MaxValue, 4] }]));
        Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(path, [one with { Shape = [-1, -1] }]));
        var short3 = Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(path, [one with { Shape = [3] }]));
        Assert.Contains("1 values; expected 3 for shape [3]", short3.Message);
        Assert.Empty(Directory.GetFiles(_scratch.Root));
    }

    [Fact]
    public void Misuse_is_told_apart_from_bad_input()
    {
        var path = _scratch["m.safetensors"];
        SafetensorsWriter.Write(path, [new("layers.0.weight", [1], new float[1])]);
        var file = SafetensorsFile.Open(path);
        using var again = SafetensorsFile.Open(path);
        var entry = file.Tensors["layers.0.weight"];

        var missing = Assert.Throws<CheckpointException>(() => file.ReadSingles("layer.0.weight"));
        Assert.Contains("did you mean 'layers.0.weight'", missing.Message);
        Assert.Throws<ArgumentException>(() => again.ReadWindows(entry, static (_, _, _) => { }));
        Assert.Throws<ArgumentException>(() => again.Copy(entry, 0, new byte[4]));
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.ReadWindows(entry, static (_, _, _) => { }));
        Assert.Throws<ObjectDisposedException>(() => file.ReadSingles("layers.0.weight"));
    }

    [Fact]
    public void Integers_are_not_read_as_weights()
    {
        using var file = SafetensorsFile.Open(_scratch.WriteRaw("""{"i":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}""", new byte[4]));

        Assert.Contains("dtype I32; expected F32", Assert.Throws<CheckpointException>(() => file.ReadSingles("i")).Message);
    }

    [Fact]
    public void Every_dtype_has_the_size_of_the_format()
    {
        var sizes = new Dictionary<string, int>
        {
            ["BOOL"] = 8, ["F4"] = 4, ["F6_E2M3"] = 6, ["F6_E3M2"] = 6, ["U8"] = 8, ["I8"] = 8, ["F8_E5M2"] = 8, ["F8_E4M3"] = 8,
            ["F8_E8M0"] = 8, ["F8_E4M3FNUZ"] = 8, ["F8_E5M2FNUZ"] = 8, ["I16"] = 16, ["U16"] = 16, ["F16"] = 16, ["BF16"] = 16,
            ["I32"] = 32, ["U32"] = 32, ["F32"] = 32, ["C64"] = 64, ["F64"] = 64, ["I64"] = 64, ["U64"] = 64,
        };

        Assert.Equal(sizes.Keys.Order(), SafetensorsDtypes.Spellings.Order());
        foreach (var (name, bits) in sizes)
        {
            Assert.True(SafetensorsDtypes.TryParse(name, out var dtype));
            Assert.Equal(bits, dtype.SizeBits());
        }
    }
}
