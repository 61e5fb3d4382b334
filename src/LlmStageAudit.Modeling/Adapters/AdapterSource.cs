using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Modeling.Adapters;

/// <summary>What is trained on top of the base: a LoRA adapter, given or to be initialised.</summary>
/// <param name="Config">Where the pairs go and how they scale.</param>
/// <param name="Tensors">The adapter's tensors by PEFT key; null to start fresh.</param>
/// <param name="Source">The folder it came from, for messages.</param>
public sealed record AdapterSource(LoraConfig Config, IReadOnlyDictionary<string, HostTensor>? Tensors, string Source);
