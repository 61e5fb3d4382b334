namespace LlmStageAudit.Probing.Probes;

/// <summary>A measure that has a gradient: gamma = sum_i weight_i reading_i over the probe's examples.</summary>
/// <param name="Reading">What is read per example.</param>
/// <param name="Weights">One per example, in probe order.</param>
public sealed record WeightedReading(ProbeReading Reading, IReadOnlyList<double> Weights);
