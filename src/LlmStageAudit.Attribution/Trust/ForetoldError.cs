namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// The relative error of a question's effects that spot checks foretell: the effects of the error e of theta'_T over those of d_T,
/// both by the probe's gradient, so that only what the probe can see of an error counts:
/// <code>||grad gamma_i . e|| / ||grad gamma_i . d_T||    over probe examples i</code>
/// The parameters' own lengths say little: AdamW moves coordinates of no gradient as far as others.
/// </summary>
public static class ForetoldError
{
    public static double OfEffects(IReadOnlyList<double> ofError, IReadOnlyList<double> ofChange) =>
        DriftTally.Ratio(Length(ofError), Length(ofChange));

    /// <summary>Where the measure has no derivative: ||e|| / ||d_T||.</summary>
    public static double OfParameters(Tensor error, Tensor change) => DriftTally.Ratio(error.norm().ToNumber(), change.norm().ToNumber());

    private static double Length(IReadOnlyList<double> values) => Math.Sqrt(values.Sum(value => value * value));
}
