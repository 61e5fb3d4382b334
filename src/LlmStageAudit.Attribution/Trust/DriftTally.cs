namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// Adds up what spot checks found for one question. A step's drift is how far its error takes theta in the end, over the
/// length of d = theta - theta' there. What a step adds to the relative error of d stays that share of it while both grow or
/// shrink alike, so drifts add up over the steps: all of them in one direction at worst, or, where errors are drawn anew at
/// every step, as independent ones do.
/// </summary>
internal sealed class DriftTally(bool independent)
{
    private double _sum;
    private double _missed;
    private double _firstLength;
    private double _lastLength;

    public int Checks { get; private set; }

    /// <summary>||d|| at the last check over ||d|| at the first: what the steps between make of a difference.</summary>
    public double Growth => _firstLength == 0 ? 0 : _lastLength / _firstLength;

    /// <summary>The mean, over checks, of ||estimated - true|| / ||true change of the gradient||.</summary>
    public double GradientMismatch => Checks == 0 ? 0 : _missed / Checks;

    /// <summary>The predicted ||error of d_T|| / ||d_T||.</summary>
    public double PredictedError => independent ? Math.Sqrt(_sum) : _sum;

    /// <param name="steps">How many steps the check speaks for.</param>
    /// <param name="drift">Of one of them.</param>
    /// <param name="mismatch">The share of the gradient's change that was missed.</param>
    /// <param name="length">||d||.</param>
    public void Add(int steps, double drift, double mismatch, double length)
    {
        _sum += steps * (independent ? drift * drift : drift);
        _missed += mismatch;
        if (Checks++ == 0) _firstLength = length;
        _lastLength = length;
    }

    /// <summary>One length over another; 0 / 0 is 0.</summary>
    public static double Ratio(double part, double whole) => part == 0 ? 0 : part / whole;
}
