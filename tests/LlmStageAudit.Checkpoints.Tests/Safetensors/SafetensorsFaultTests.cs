using System.Text;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Tests.Safetensors;

/// <summary>One file per fault; the message must name it.</summary>
public sealed class SafetensorsFaultTests : IDisposable
{
    private const string Good = """{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void The_file_all_faults_start_from_is_good()
    {
        using var file = SafetensorsFile.Open(_scratch.WriteRaw(Good, new byte[8]));
        Assert.Single(file.Tensors);
    }

    [Theory]
    [InlineData("", "expected a JSON object")]
    [InlineData(" {}", "does not begin with '{'")]
    [InlineData("[]", "does not begin with '{'")]
    [InlineData("\ufeff{}", "does not begin with '{'")]
    [InlineData("{", "not valid JSON")]
    [InlineData("{}x", "not valid JSON")]
    [InlineData("{}\0", "not valid JSON")]
    [InlineData("""{"\ud800":{}}""", "not valid JSON")]
    [InlineData("""{"w":{"dtype":"F32","shape":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]],"data_offsets":[0,8]}}""", "'w': shape")]
    [InlineData("""{"w":{"x":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]],"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "not valid JSON")]
    [InlineData("""{"w":7}""", "'w': is no object")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2]}}""", "'w': is incomplete")]
    [InlineData("""{"w":{"dtype":"F32","data_offsets":[0,8]}}""", "'w': is incomplete")]
    [InlineData("""{"w":{"shape":[2],"data_offsets":[0,8]}}""", "'w': is incomplete")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}}""", "'w': is incomplete")]
    [InlineData("""{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "'w': holds 'dtype' twice")]
    [InlineData("""{"w":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", "dtype 'F33'; expected BOOL")]
    [InlineData("""{"w":{"dtype":"37","shape":[8],"data_offsets":[0,8]}}""", "dtype '37'")]
    [InlineData("""{"w":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}""", "dtype 'f32'")]
    [InlineData("""{"w":{"dtype":3,"shape":[2],"data_offsets":[0,8]}}""", "dtype is no string")]
    [InlineData("""{"w":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}""", "hold 8 bytes; expected 4 bytes for shape [2] of F16")]
    [InlineData("""{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "hold 8 bytes; expected 12 bytes")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "hold -8 bytes")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "shape holds something else")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}""", "shape holds something else")]
    [InlineData("""{"w":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", "shape holds something else")]
    [InlineData("""{"w":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", "shape is no array")]
    [InlineData("""{"w":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,8]}}""", "overflows")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", "overflows")]
    [InlineData("""{"w":{"dtype":"F4","shape":[3],"data_offsets":[0,8]}}""", "does not fill whole bytes")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}""", "data_offsets holds something else")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "leaving a hole")]
    [InlineData(
        """{"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"U8","shape":[6],"data_offsets":[2,8]}}""",
        "overlapping")]
    [InlineData(
        """{"v":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""",
        "leaving a hole")]
    [InlineData(
        """{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        "'v' twice")]
    [InlineData(
        """{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\u0076":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""",
        "'v' twice")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "tensors end at byte")]
    [InlineData("""{"__metadata__":{"a":1},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "no string under 'a'")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "'a' twice")]
    [InlineData("""{"__metadata__":[],"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "__metadata__ is no object")]
    public void Bad_header_is_named(string header, string expected) =>
        Assert.Contains(expected, Fault(_scratch.WriteRaw(header, new byte[8])).Message);

    [Fact]
    public void Header_that_is_not_utf8_is_refused()
    {
        var bytes = Encoding.UTF8.GetBytes(Good);
        bytes[2] = 0xC3;
        Assert.Contains("not UTF-8", Fault(_scratch.WriteBytes("raw", ScratchFolder.Raw(bytes, new byte[8]))).Message);
    }

    [Theory]
    [InlineData(ulong.MaxValue - 255, "at most 100000000 bytes")]
    [InlineData(100_000_001UL, "header length 100000001")]
    [InlineData(100_000_000UL, "the header needs 100000000 bytes after the first 8")]
    [InlineData(63UL, "the header needs 63 bytes after the first 8")]
    [InlineData(10UL, "not valid JSON")]
    public void Wrong_header_length_is_refused(ulong lengthBytes, string expected) =>
        Assert.Contains(expected, Fault(_scratch.WriteRaw(Good, new byte[8], lengthBytes)).Message);

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void File_without_a_header_length_is_refused(int sizeBytes)
    {
        var fault = Fault(_scratch.WriteBytes("short", new byte[sizeBytes]));
        Assert.Contains($"holds {sizeBytes} bytes; expected at least the 8", fault.Message);
    }

    [Fact]
    public void Truncated_file_names_the_first_tensor_that_is_cut_and_both_sizes()
    {
        const string header =
            """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"""
            + ""","b":{"dtype":"F32","shape":[4],"data_offsets":[8,24]}"""
            + ""","c":{"dtype":"F32","shape":[1],"data_offsets":[24,28]}}""";
        var fault = Fault(_scratch.WriteRaw(header, new byte[20]));

        var content = 8 + header.Length;
        Assert.Contains($"tensor 'b' ends at byte {content + 24} but the file holds {content + 20} bytes", fault.Message);
    }

    [Fact]
    public void Missing_file_and_folder_are_input_errors()
    {
        Assert.Equal(ErrorKind.Input, Fault(_scratch["absent"]).Kind);
        Assert.Contains("cannot be read", Fault(_scratch.Root).Message);
    }

    [Fact]
    public void Control_characters_and_long_names_stay_out_of_messages()
    {
        var name = "\\u001b[31m" + new string('n', 5000);
        var fault = Fault(_scratch.WriteRaw($$"""{"{{name}}":7}""", []));

        Assert.DoesNotContain('\u001b', fault.Message);
        Assert.True(fault.Message.Length < 600);
    }

    private static CheckpointException Fault(string path)
    {
        var fault = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path).Dispose());
        Assert.StartsWith(path, fault.Message);
        Assert.DoesNotContain('\n', fault.Message);
        return fault;
    }
}
