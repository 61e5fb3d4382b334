using static LlmStageAudit.Modeling.Tests.Derivations.PlainMath;
using Forward = System.Func<System.Collections.Generic.IReadOnlyDictionary<string, double[]>, int[], double[][]>;

namespace LlmStageAudit.Modeling.Tests.Derivations;

/// <summary>A configuration, what it means, and what it would be with a detail wrong.</summary>
/// <param name="Family">model_type.</param>
/// <param name="Changes">To the family's tiny configuration.</param>
/// <param name="Logits">Per token.</param>
/// <param name="Mutations">By the detail that is wrong.</param>
/// <param name="Decoder">The decoder behind the logits; null for GPT-NeoX.</param>
internal sealed record DerivationCase(
    string Family, string Changes, Forward Logits, IReadOnlyDictionary<string, Forward> Mutations, PlainDecoder? Decoder = null);

/// <summary>What the tiny configurations mean.</summary>
internal static class DerivationCases
{
    private static readonly double[] s_plain = Frequencies(50, 6);
    private static readonly double[] s_third = [.. s_plain.Select(f => f / 3)];
    private static readonly double[] s_local = Frequencies(10, 6);

    private static readonly PlainDecoder s_llama = new()
    {
        Heads = 4,
        KeyHeads = 2,
        HeadSize = 6,
        Layers = 3,
        Frequencies = _ => s_plain,
        Scalar = 6,
        Activation = Silu,
    };

    private static readonly PlainDecoder s_gemma = s_llama with
    {
        KeyHeads = 1,
        Activation = GeluTanh,
        EmbeddingScale = Math.Sqrt(TinyDecoder.Hidden),
        NormOffset = 1,
    };

    private static readonly PlainDecoder s_gemma2 = s_gemma with
    {
        KeyHeads = 2,
        Scalar = 10,
        PostNorms = true,
        Window = layer => layer % 2 == 0 ? 3 : null,
        AttentionCap = 2,
        FinalCap = 5,
    };

    private static readonly PlainDecoder s_gemma3 = s_gemma with
    {
        KeyHeads = 2,
        Scalar = 10,
        PostNorms = true,
        HeadNorms = true,
        Window = layer => layer % 2 == 0 ? 3 : null,
        Frequencies = layer => layer % 2 == 0 ? s_local : s_third,
    };

    private static readonly PlainNeoX s_neoX = new()
    {
        Heads = 4,
        HeadSize = 6,
        Layers = 3,
        Frequencies = Frequencies(50, 4),
        Parallel = true,
    };

    public static IReadOnlyDictionary<string, DerivationCase> All { get; } = new Dictionary<string, DerivationCase>
    {
        ["llama"] = Decoder("llama", "{}", s_llama, new()
        {
            ["key heads in turn"] = s_llama with { KeyHeadOf = head => head % 2 },
            ["norm of gain 1 + w"] = s_llama with { NormOffset = 1 },
            ["gelu"] = s_llama with { Activation = Gelu },
            ["another base"] = s_llama with { Frequencies = _ => s_local },
            ["another scalar"] = s_llama with { Scalar = TinyDecoder.Hidden / 4 },
            ["scaled embeddings"] = s_llama with { EmbeddingScale = Math.Sqrt(TinyDecoder.Hidden) },
            ["another epsilon"] = s_llama with { Epsilon = 0.1 },
        }),
        ["llama, linear"] = Decoder("llama", """{ "rope_scaling": { "type": "linear", "factor": 3.0 } }""",
            s_llama with { Frequencies = _ => s_third },
            new() { ["not scaled"] = s_llama, ["multiplied"] = s_llama with { Frequencies = _ => [.. s_plain.Select(f => f * 3)] } }),
        ["llama, llama3"] = Decoder("llama", """
            { "rope_theta": null, "rope_parameters": { "rope_type": "llama3", "rope_theta": 50.0, "factor": 4.0,
              "low_freq_factor": 0.5, "high_freq_factor": 3.0, "original_max_position_embeddings": 24 } }
            """,
            // Of the three frequencies the first is kept, the second mixed, the third divided.
            s_llama with { Frequencies = _ => Llama3(s_plain, 4, 0.5, 3, 24) },
            new()
            {
                ["not scaled"] = s_llama,
                ["linear"] = s_llama with { Frequencies = _ => [.. s_plain.Select(f => f / 4)] },
                ["another context"] = s_llama with { Frequencies = _ => Llama3(s_plain, 4, 0.5, 3, 48) },
                ["another low"] = s_llama with { Frequencies = _ => Llama3(s_plain, 4, 0.2, 3, 24) },
                ["another high"] = s_llama with { Frequencies = _ => Llama3(s_plain, 4, 0.5, 6, 24) },
            }),
        ["gemma"] = Decoder("gemma", "{}", s_gemma, new()
        {
            ["norm of gain w"] = s_gemma with { NormOffset = 0 },
            ["embeddings as they are"] = s_gemma with { EmbeddingScale = 1 },
            ["exact gelu"] = s_gemma with { Activation = Gelu },
            ["silu"] = s_gemma with { Activation = Silu },
        }),
        ["gemma2"] = Decoder("gemma2", "{}", s_gemma2, new()
        {
            ["no cap on scores"] = s_gemma2 with { AttentionCap = null },
            ["scores capped before they are scaled"] = s_gemma2 with { CapBeforeScale = true },
            ["no cap on logits"] = s_gemma2 with { FinalCap = null },
            ["no window"] = s_gemma2 with { Window = _ => null },
            ["window one too wide"] = s_gemma2 with { Window = layer => layer % 2 == 0 ? 4 : null },
            ["window one too narrow"] = s_gemma2 with { Window = layer => layer % 2 == 0 ? 2 : null },
            ["windows on the other layers"] = s_gemma2 with { Window = layer => layer % 2 == 1 ? 3 : null },
            ["scalar of the head size"] = s_gemma2 with { Scalar = 6 },
            ["norm of gain w"] = s_gemma2 with { NormOffset = 0 },
            ["embeddings as they are"] = s_gemma2 with { EmbeddingScale = 1 },
            ["exact gelu"] = s_gemma2 with { Activation = Gelu },
            ["key heads in turn"] = s_gemma2 with { KeyHeadOf = head => head % 2 },
        }),
        ["gemma2, layer types, no caps"] = Decoder("gemma2", """
            { "layer_types": ["full_attention", "sliding_attention", "sliding_attention"],
              "attn_logit_softcapping": null, "final_logit_softcapping": null }
            """,
            s_gemma2 with { Window = layer => layer > 0 ? 3 : null, AttentionCap = null, FinalCap = null },
            new()
            {
                ["every other layer"] = s_gemma2 with { AttentionCap = null, FinalCap = null },
                ["the presets' caps"] = s_gemma2 with { Window = layer => layer > 0 ? 3 : null, AttentionCap = 50, FinalCap = 30 },
            }),
        ["gemma3"] = Decoder("gemma3_text", "{}", s_gemma3, new()
        {
            ["no head norms"] = s_gemma3 with { HeadNorms = false },
            ["the global base everywhere"] = s_gemma3 with { Frequencies = _ => s_third },
            ["the local base everywhere"] = s_gemma3 with { Frequencies = _ => s_local },
            ["local frequencies scaled too"] = s_gemma3 with
            {
                Frequencies = layer => layer % 2 == 0 ? [.. s_local.Select(f => f / 3)] : s_third,
            },
            ["global frequencies not scaled"] = s_gemma3 with { Frequencies = layer => layer % 2 == 0 ? s_local : s_plain },
            ["window one too wide"] = s_gemma3 with { Window = layer => layer % 2 == 0 ? 4 : null },
            ["window one too narrow"] = s_gemma3 with { Window = layer => layer % 2 == 0 ? 2 : null },
            ["scalar of the head size"] = s_gemma3 with { Scalar = 6 },
        }),
        ["gemma3, capped, untied"] = Decoder("gemma3_text", """{ "final_logit_softcapping": 5, "tie_word_embeddings": false }""",
            s_gemma3 with { FinalCap = 5 },
            new() { ["no cap"] = s_gemma3 }),
        ["gpt_neox, parallel"] = NeoX("{}", s_neoX, new()
        {
            ["sequential"] = s_neoX with { Parallel = false },
            ["tanh gelu"] = s_neoX with { Activation = GeluTanh },
            ["the whole head rotated"] = s_neoX with { Frequencies = Frequencies(50, 6) },
            ["heads not interleaved"] = s_neoX with { InterleavedHeads = false },
        }),
        ["gpt_neox, sequential"] = NeoX("""{ "use_parallel_residual": false }""",
            s_neoX with { Parallel = false },
            new() { ["parallel"] = s_neoX, ["another base"] = s_neoX with { Parallel = false, Frequencies = Frequencies(40, 4) } }),
        ["gpt_neox, linear"] = NeoX(
            """{ "rope_theta": null, "rotary_emb_base": 20, "rope_scaling": { "type": "linear", "factor": 2.0 } }""",
            s_neoX with { Frequencies = [.. Frequencies(20, 4).Select(f => f / 2)] },
            new() { ["not scaled"] = s_neoX with { Frequencies = Frequencies(20, 4) }, ["another base"] = s_neoX }),
    };

    private static DerivationCase Decoder(string family, string changes, PlainDecoder decoder, Dictionary<string, PlainDecoder> wrong) =>
        new(family, changes, decoder.Logits, wrong.ToDictionary(pair => pair.Key, pair => (Forward)pair.Value.Logits), decoder);

    private static DerivationCase NeoX(string changes, PlainNeoX model, Dictionary<string, PlainNeoX> wrong) =>
        new("gpt_neox", changes, model.Logits, wrong.ToDictionary(pair => pair.Key, pair => (Forward)pair.Value.Logits));
}
