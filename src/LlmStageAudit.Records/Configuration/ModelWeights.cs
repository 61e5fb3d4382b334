namespace LlmStageAudit.Records.Configuration;

/// <summary>Where the base weights come from.</summary>
public enum ModelWeights
{
    /// <summary>The model folder's safetensors files.</summary>
    Pretrained,

    /// <summary>Drawn from the run's seed; the model folder needs a config.json only.</summary>
    Random,
}
