using System.Text.Json.Serialization;

namespace LlmStageAudit.Records.Configuration;

/// <summary>What the frozen base computes in. The trainable state and its gradients are float32 whatever it is.</summary>
public enum ModelDtype
{
    [JsonStringEnumMemberName("float32")]
    Float32,

    [JsonStringEnumMemberName("bfloat16")]
    BFloat16,
}
