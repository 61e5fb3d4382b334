namespace LlmStageAudit.Modeling.Transformers;

/// <summary>A smooth bound: cap * tanh(x / cap), near x for small x and never beyond the cap (Gemma 2).</summary>
public static class SoftCap
{
    /// <param name="x">Any shape.</param>
    /// <param name="cap">The bound; null leaves x as it is.</param>
    public static Tensor Apply(Tensor x, double? cap) => cap is { } bound ? x.over(bound).tanh().times(bound) : x;
}
