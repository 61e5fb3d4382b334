using System.Text.Json.Serialization;

namespace LlmStageAudit.Records.Configuration;

/// <summary>The optimizer maps that can be trained with and replayed.</summary>
public enum OptimizerName
{
    Sgd,

    [JsonStringEnumMemberName("adamw")]
    AdamW,
}
