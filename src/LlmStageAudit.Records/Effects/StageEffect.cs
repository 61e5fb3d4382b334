using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Records.Effects;

/// <summary>A stage's estimated effect on a probe: observed minus counterfactual, so positive where the stage raised the metric.</summary>
public sealed record StageEffect
{
    /// <summary>A stage's name, or what else was left out, such as "steps 10-12".</summary>
    public required string Stage { get; init; }

    /// <summary>The performance function.</summary>
    public required string Metric { get; init; }

    /// <summary>The first step left out, numbered from 1 through the run; null for whole stages and for examples.</summary>
    public int? FirstStep { get; init; }

    /// <summary>The last step left out.</summary>
    public int? LastStep { get; init; }

    /// <summary>The training example, where the effect is one's.</summary>
    public string? Example { get; init; }

    /// <summary>Mean over probe rows of observed minus counterfactual, in the unit of the metric.</summary>
    public required double Estimate { get; init; }

    /// <summary>Lower end of the bootstrap interval over probe rows; null where a sweep gave the mean over the probe alone.</summary>
    public double? Low { get; init; }

    /// <summary>Upper end.</summary>
    public double? High { get; init; }

    /// <summary>verified, high, medium or low.</summary>
    public required string Trust { get; init; }

    /// <summary>What the grade rests on.</summary>
    public TrustEvidence? Evidence { get; init; }

    /// <summary>How this effect was estimated, where a file mixes estimates; else null.</summary>
    public Estimator? Estimator { get; init; }

    /// <summary>The screen's estimate of the effect on the measure that was certified; null where there was no screen.</summary>
    public double? Screened { get; init; }

    /// <summary>The model without the stage; null where the method makes none.</summary>
    public ProbeScores? Counterfactual { get; init; }

    /// <summary>In probe order.</summary>
    public IReadOnlyList<ExampleEffect> PerExample { get; init; } = [];

    /// <summary>Folder of the counterfactual as a PEFT adapter, where it was exported.</summary>
    public string? ExportedAdapter { get; init; }
}

/// <summary>A stage's estimated effect on one probe row: observed minus counterfactual.</summary>
public sealed record ExampleEffect
{
    /// <summary>The probe row's id.</summary>
    public required string Id { get; init; }

    /// <summary>Observed minus counterfactual, in the unit of the metric.</summary>
    public required double Estimate { get; init; }
}
