using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Records.Verifications;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>
/// What a report is made of. Lists may be empty: the page then says what is missing and which command makes it. Results of another run are
/// left out of the page, which says so.
/// </summary>
internal sealed record ReportInputs
{
    public required RunManifest Run { get; init; }

    public IReadOnlyList<EffectsArtifact> Effects { get; init; } = [];

    public IReadOnlyList<RankingArtifact> Rankings { get; init; } = [];

    public IReadOnlyList<VerificationArtifact> Verifications { get; init; } = [];

    /// <summary>All logged steps of the run, in step order.</summary>
    public IReadOnlyList<StepRecord> Steps { get; init; } = [];
}
