using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Tests.Hostile;

/// <summary>Pickles are refused by name and by content, with the way to convert them, and never loaded.</summary>
public sealed class PickleTests : IDisposable
{
    private static readonly byte[] Pickle =
        [0x80, 2, (byte)'c', .. "os\nsystem\n"u8, (byte)'X', 2, 0, 0, 0, .. "id"u8, 0x85, (byte)'R', (byte)'.'];
    private static readonly byte[] Legacy = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'];
    private static readonly byte[] Framed = [0x80, 4, 0x95, 10, 0, 0, 0, 0, 0, 0, 0, .. "\u0001\u0001\u0001\u0001."u8];
    private static readonly byte[] Zip = [.. "PK\u0003\u0004"u8, 20, 0, 0, 0, 8, 0, .. new byte[40]];

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("model.pt")]
    [InlineData("model.pth")]
    [InlineData("model.ckpt")]
    [InlineData("pytorch_model.bin")]
    [InlineData("model.PKL")]
    public void A_pickle_is_no_model_and_no_adapter(string name)
    {
        var path = _scratch.WriteBytes(name, Zip);
        CheckMessage(Assert.Throws<CheckpointException>(() => ModelFolder.Open(path)), path);
        CheckMessage(Assert.Throws<CheckpointException>(() => AdapterFolder.Read(path)), path);
    }

    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("pytorch_model-00001-of-00002.bin")]
    [InlineData("pytorch_model.bin.index.json")]
    [InlineData("model.ckpt")]
    [InlineData("consolidated.00.pth")]
    public void A_folder_with_pickled_weights_only_is_no_model(string name)
    {
        _scratch.WriteText("m/config.json", """{"model_type":"gpt_neox"}""");
        _scratch.WriteBytes("m/" + name, Zip);
        CheckMessage(Assert.Throws<CheckpointException>(() => ModelFolder.Open(_scratch["m"])), name);
    }

    [Fact]
    public void Pickles_that_a_trainer_left_beside_are_not_looked_at()
    {
        _scratch.WriteText("m/config.json", """{"model_type":"gpt_neox"}""");
        foreach (var name in (string[])["training_args.bin", "optimizer.pt", "rng_state_0.pth"]) _scratch.WriteBytes("m/" + name, Pickle);
        using var folder = ModelFolder.Open(_scratch["m"]);
        Assert.False(folder.HasWeights);
        Assert.Equal(["config.json"], folder.Files);
    }

    [Fact]
    public void A_folder_with_a_pickled_adapter_is_no_adapter()
    {
        _scratch.WriteText("a/adapter_config.json", "{}");
        _scratch.WriteBytes("a/adapter_model.bin", Pickle);
        CheckMessage(Assert.Throws<CheckpointException>(() => AdapterFolder.Read(_scratch["a"])), "adapter_model.bin");
    }

    [Fact]
    public void Content_tells_under_any_name()
    {
        foreach (var bytes in (byte[][])[Pickle, Legacy, Framed, Zip])
        {
            CheckMessage(
                Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_scratch.WriteBytes("model.safetensors", bytes))),
                "save_file");
            CheckMessage(
                Assert.Throws<CheckpointException>(() => ModelConfig.Read(_scratch.WriteBytes("config.json", bytes))),
                "save_file");
            CheckMessage(
                Assert.Throws<CheckpointException>(() => LoraConfig.Read(_scratch.WriteBytes("adapter_config.json", bytes))),
                "save_file");
            CheckMessage(
                Assert.Throws<CheckpointException>(() => HuggingFaceTokenizer.Load(_scratch.WriteBytes("tokenizer.json", bytes))),
                "save_file");
            foreach (var name in (string[])["rows.csv", "rows.tsv", "rows.jsonl"])
            {
                var refused = Assert.Throws<CheckpointException>(() => CommentSet.Read(_scratch.WriteBytes(name, bytes)));
                // An archive is more likely a packed table, or a spreadsheet.
                if (bytes == Zip) Assert.Contains("unzip it, or export the sheet of a spreadsheet as CSV", refused.Message);
                else CheckMessage(refused, name);
            }
        }
    }

    [Theory]
    [InlineData("rows.pkl")]
    [InlineData("rows.npy")]
    [InlineData("rows.npz")]
    [InlineData("rows.pt")]
    public void Rows_are_not_read_from_a_pickle(string name) =>
        CheckMessage(Assert.Throws<CheckpointException>(() => CommentSet.Read(_scratch.WriteBytes(name, Pickle))), name);

    [Fact]
    public void A_header_of_any_length_that_is_accepted_is_not_taken_for_a_pickle()
    {
        // A header of 0x0280 bytes begins with the same two bytes as a pickle of protocol 2.
        var header = """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""".PadRight(0x0280);
        using var file = SafetensorsFile.Open(_scratch.WriteRaw(header, [7]));
        Assert.Equal(["a"], file.Tensors.Keys);
    }

    private static void CheckMessage(InvalidInputException refused, string part)
    {
        Assert.Contains("can run code", refused.Message);
        Assert.Contains(part, refused.Message);
        Assert.True(refused.Message.Contains("convert it") || refused.Message.Contains("write the rows"), refused.Message);
        Assert.Equal(ErrorKind.Input, refused.Kind);
    }
}
