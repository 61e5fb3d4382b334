using LlmStageAudit.Attribution.Resuming;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// Adds up what spot checks found for one question. A step's drift is where its error takes theta in the end, [N]. A check
/// stands for the steps it speaks for:
/// <code>error of theta'_T = sum over checks of weight * drift</code>
/// as if an error stayed what it is on its way through the later steps.
/// </summary>
/// <param name="independent">Whether errors are drawn anew at every step, as those of random shares of batches are.</param>
/// <param name="movingSteps">Steps that move the question's parameters, checked or not.</param>
internal sealed class DriftTally(bool independent, int movingSteps) : IDisposable
{
    private double _missed;
    private double _firstLength;
    private double _lastLength;

    /// <summary>The error foretold of theta'_T, [N]; null where nothing was checked. The tally's.</summary>
    public Tensor? Error { get; private set; }

    /// <summary>Steps checked.</summary>
    public int Checks { get; private set; }

    /// <summary>Steps that move the question's parameters, checked or not.</summary>
    public int MovingSteps => movingSteps;

    /// <summary>||d|| at the last check over ||d|| at the first: what the steps between make of a difference.</summary>
    public double Growth => _firstLength == 0 ? 0 : _lastLength / _firstLength;

    /// <summary>The mean, over checks, of ||estimated - true|| / ||true change of the gradient||.</summary>
    public double GradientMismatch => Checks == 0 ? 0 : _missed / Checks;

    /// <summary>Counts one check in, of a drift [N] that stays the caller's; length is ||d||, d = theta - theta'.</summary>
    public void Add(CheckWeight weight, Tensor drift, double mismatch, double length)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var share = drift.times(independent ? weight.Independent : weight.Repeated);
        var sum = Error is { } error ? error.plus(share) : share;
        Error?.Dispose();
        Error = scope.Detach(sum);
        _missed += mismatch;
        if (Checks++ == 0) _firstLength = length;
        _lastLength = length;
    }

    public void Save(WalkState state, string name)
    {
        if (Checks == 0) return;
        state.Put(name, Error!);
        state.Put(Numbers(name), [_missed, _firstLength, _lastLength, Checks]);
    }

    /// <summary>Takes back what was put, the error of the type and on the device of <paramref name="like"/>.</summary>
    public void Restore(WalkState state, string name, Tensor like)
    {
        if (!state.Has(name)) return;
        Error?.Dispose();
        Error = state.Tensor(name, like);
        var numbers = state.Numbers(Numbers(name), 4);
        (_missed, _firstLength, _lastLength, Checks) = (numbers[0], numbers[1], numbers[2], (int)numbers[3]);
    }

    public void Dispose() => Error?.Dispose();

    private static string Numbers(string name) => name + ".numbers";

    /// <summary>One length over another; 0 / 0 is 0.</summary>
    public static double Ratio(double part, double whole) => part == 0 ? 0 : part / whole;
}

/// <summary>
/// The relative error of a question's effects that spot checks foretell: the effects of the error e of theta'_T over those of d_T,
/// both by the probe's gradient, so that only what the probe can see of an error counts:
/// <code>||grad gamma_i . e|| / ||grad gamma_i . d_T||    over probe examples i</code>
/// The parameters' own lengths say little: AdamW moves coordinates of no gradient as far as others.
/// </summary>
public static class PredictedRelativeError
{
    /// <summary>By the probe's gradient.</summary>
    /// <param name="ofError">grad gamma_i . e of each probe example.</param>
    /// <param name="ofChange">grad gamma_i . d_T of each.</param>
    public static double OfEffects(IReadOnlyList<double> ofError, IReadOnlyList<double> ofChange) =>
        DriftTally.Ratio(Length(ofError), Length(ofChange));

    /// <summary>Where the measure has no derivative: ||e|| / ||d_T||.</summary>
    public static double OfParameters(Tensor error, Tensor change) => DriftTally.Ratio(error.norm().ToNumber(), change.norm().ToNumber());

    private static double Length(IReadOnlyList<double> values) => Math.Sqrt(values.Sum(value => value * value));
}
