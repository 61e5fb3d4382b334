using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Records.Verifications;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>What a report is made of. Lists may be empty: the page then says what is missing and which command makes it.</summary>
internal sealed record ReportInputs
{
    public required RunManifest Run { get; init; }

    /// <summary>Those of another run are left out of the page, which says so.</summary>
    public IReadOnlyList<EffectsArtifact> Effects { get; init; } = [];

    /// <summary>As for <see cref="Effects"/>.</summary>
    public IReadOnlyList<RankingArtifact> Rankings { get; init; } = [];

    /// <summary>As for <see cref="Effects"/>.</summary>
    public IReadOnlyList<VerificationArtifact> Verifications { get; init; } = [];

    /// <summary>All logged steps of the run, in step order.</summary>
    public IReadOnlyList<StepRecord> Steps { get; init; } = [];

    /// <summary>Heading of the page; null: made from the run's stages.</summary>
    public string? Title { get; init; }

    /// <summary>Coverage of the bootstrap intervals that the effects and rankings carry.</summary>
    public double IntervalLevel { get; init; } = 0.95;
}
