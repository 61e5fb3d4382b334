using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Probing.Probes;

/// <summary>gamma: one number of a model on a probe, whose change by a stage is asked about.</summary>
public interface IMeasure
{
    /// <summary>As results name it.</summary>
    string Name { get; }

    /// <summary>gamma of a model, by its scores on the probe; NaN where it is undefined.</summary>
    double Evaluate(ProbeScores scores);

    /// <summary>gamma(observed) - gamma(counterfactual) with its bootstrap interval over probe examples.</summary>
    /// <param name="observed">The run's scores.</param>
    /// <param name="counterfactual">Those of the run without something, on the same examples.</param>
    /// <param name="key">Names the random stream.</param>
    BootstrapResult Effect(ProbeScores observed, ProbeScores counterfactual, string key);

    /// <summary>
    /// The resampled effects behind such an interval, in the order drawn. One key draws the same examples for every
    /// counterfactual, so that the draws of several effects pair up. NaN where a draw leaves gamma undefined.
    /// </summary>
    double[] EffectDraws(ProbeScores observed, ProbeScores counterfactual, string key);

    /// <summary>gamma as a weighted sum of readings; null for a metric without a derivative.</summary>
    WeightedReading? Weighted { get; }
}

/// <summary>A measure that has a gradient: gamma = sum_i weight_i reading_i over the probe's examples.</summary>
/// <param name="Reading">What is read per example.</param>
/// <param name="Weights">One per example, in probe order.</param>
public sealed record WeightedReading(ProbeReading Reading, IReadOnlyList<double> Weights);

/// <summary>What is read off a model per probe example.</summary>
public enum ProbeReading
{
    /// <summary>The performance value: log-likelihood or margin of the target.</summary>
    Performance,

    /// <summary>The log-odds of the positive class; of a causal language model, the log-likelihood.</summary>
    LogOdds,
}
