namespace LlmStageAudit.Probing.Probes;

/// <summary>What is read off a model per probe example.</summary>
public enum ProbeReading
{
    /// <summary>The performance value: log-likelihood or margin of the target.</summary>
    Performance,

    /// <summary>The log-odds of the positive class; of a causal language model, the log-likelihood.</summary>
    LogOdds,
}
