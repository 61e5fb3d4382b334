using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Benchmarks.Loading;

/// <summary>A model folder of Pythia-70M's shape with random weights.</summary>
internal static class PythiaShape
{
    private const long Vocabulary = 50_304;
    private const long Hidden = 512;
    private const int Layers = 6;

    private const string Config = """
        {
          "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": 512, "intermediate_size": 2048,
          "num_hidden_layers": 6, "num_attention_heads": 8, "vocab_size": 50304, "max_position_embeddings": 2048, "rotary_pct": 0.25,
          "rotary_emb_base": 10000, "use_parallel_residual": true, "hidden_act": "gelu", "layer_norm_eps": 1e-05,
          "bos_token_id": 0, "eos_token_id": 0, "tie_word_embeddings": false
        }
        """;

    /// <summary>Elements of all weights.</summary>
    public static long Parameters => Weights().Sum(static weight => Product(weight.Shape));

    /// <param name="folder">To be made.</param>
    /// <param name="elementBytes">4 writes float32, 2 writes bfloat16: the same values, cut.</param>
    public static void Write(string folder, int elementBytes)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config);
        using var file = File.Create(Path.Combine(folder, ModelFolder.WeightsFile));
        var header = Header(elementBytes);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        file.Write(header);
        var random = StableRandom.For(20261122, "weights");
        foreach (var (name, shape) in Weights())
        {
            var isNorm = name.Contains("norm", StringComparison.Ordinal) && shape.Length == 1;
            var bytes = new byte[Product(shape) * elementBytes];
            for (var at = 0; at < bytes.Length; at += elementBytes)
            {
                // Uniform with the standard deviation of the usual start, 0.02.
                var value = (float)(((random.NextDouble() - 0.5) * 0.0693) + (isNorm ? 1 : 0));
                var bits = BitConverter.SingleToUInt32Bits(value);
                if (elementBytes == 4) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), bits);
                else BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), (ushort)(bits >> 16));
            }

            file.Write(bytes);
        }
    }

    private static byte[] Header(int elementBytes)
    {
        var entries = new Dictionary<string, object>();
        var offset = 0L;
        foreach (var (name, shape) in Weights())
        {
            var end = offset + (Product(shape) * elementBytes);
            entries[name] = new { dtype = elementBytes == 4 ? "F32" : "BF16", shape, data_offsets = new[] { offset, end } };
            offset = end;
        }

        var json = JsonSerializer.Serialize(entries);
        return Encoding.ASCII.GetBytes(json.PadRight((json.Length + 7) / 8 * 8));
    }

    private static IEnumerable<(string Name, long[] Shape)> Weights()
    {
        yield return ("gpt_neox.embed_in.weight", [Vocabulary, Hidden]);
        for (var layer = 0; layer < Layers; layer++)
        {
            foreach (var (name, output, input) in new[]
            {
                ("attention.query_key_value", 3 * Hidden, Hidden), ("attention.dense", Hidden, Hidden),
                ("mlp.dense_h_to_4h", 4 * Hidden, Hidden), ("mlp.dense_4h_to_h", Hidden, 4 * Hidden),
            })
            {
                yield return ($"gpt_neox.layers.{layer}.{name}.weight", [output, input]);
                yield return ($"gpt_neox.layers.{layer}.{name}.bias", [output]);
            }

            foreach (var norm in new[] { "input_layernorm", "post_attention_layernorm" })
            {
                yield return ($"gpt_neox.layers.{layer}.{norm}.weight", [Hidden]);
                yield return ($"gpt_neox.layers.{layer}.{norm}.bias", [Hidden]);
            }
        }

        yield return ("gpt_neox.final_layer_norm.weight", [Hidden]);
        yield return ("gpt_neox.final_layer_norm.bias", [Hidden]);
        yield return ("embed_out.weight", [Vocabulary, Hidden]);
    }

    private static long Product(long[] shape) => shape.Aggregate(1L, static (product, size) => product * size);
}
