namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// Root-mean-square normalisation over the last dimension (Zhang and Sennrich 2019):
/// <code>x / sqrt(mean(x^2) + epsilon) * g</code>
/// with gain g = w (Llama) or g = 1 + w (the Gemmas, whose weights start at zero).
/// </summary>
public static class RmsNorm
{
    /// <summary>Computed in float32 at least, returned in the dtype of x.</summary>
    public static Tensor Apply(Tensor x, Tensor gain, double epsilon) => WrappedTensorDisposeScope(() =>
    {
        var wide = x.dtype == bfloat16 ? x.to(float32) : x;
        return (wide * (wide * wide).mean([-1], keepdim: true).plus(epsilon).rsqrt() * gain).to(x.dtype);
    });
}
