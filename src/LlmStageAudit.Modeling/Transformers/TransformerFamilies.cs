using LlmStageAudit.Checkpoints;
using LlmStageAudit.Checkpoints.Models;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>The model families, by the model_type of config.json.</summary>
internal static class TransformerFamilies
{
    private static readonly SortedDictionary<string, Func<ModelConfig, Transformer>> s_families = new(StringComparer.Ordinal)
    {
        ["gemma"] = config => new GatedDecoder(GemmaConfig.Read(config)),
        ["gemma2"] = config => new GatedDecoder(Gemma2Config.Read(config)),
        ["gemma3_text"] = config => new GatedDecoder(Gemma3Config.Read(config)),
        ["gpt_neox"] = config => new GptNeoX(GptNeoXConfig.Read(config)),
        ["llama"] = config => new GatedDecoder(LlamaConfig.Read(config)),
    };

    /// <summary>The arithmetic of a checkpoint's family, with its settings.</summary>
    /// <exception cref="ModelingException">A family that is not among the known ones.</exception>
    /// <exception cref="CheckpointException">Settings that are wrong or not supported.</exception>
    public static Transformer Create(ModelConfig config)
    {
        if (config.ModelType == "gemma3")
        {
            throw config.Fault(
                "model_type",
                "found 'gemma3', a model of text and images",
                "a text model, such as Gemma 3 270M or 1B (model_type 'gemma3_text')");
        }

        return s_families.TryGetValue(config.ModelType, out var create)
            ? create(config)
            : throw ModelingException.At(
                config.Path, $"model_type '{config.ModelType}' is not supported", string.Join(", ", s_families.Keys));
    }
}
