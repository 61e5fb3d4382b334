using System.Text.Encodings.Web;
using System.Text.Json;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Reporting.Charts;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>The page's numbers once more, at full precision, as JSON for whoever reads the page with a program.</summary>
internal static class EmbeddedNumbers
{
    // ASCII alone, all else as \uXXXX: what reorders a line on the screen would also do so in the page's source.
    private static readonly JsonSerializerOptions AsciiJson = new(ArtifactJson.CompactOptions) { Encoder = JavaScriptEncoder.Default };

    /// <summary>Angle brackets and ampersands are escaped, so that the text cannot end the element it stands in.</summary>
    public static string Serialize(AuditFindings findings) => JsonSerializer.Serialize(
        new
        {
            schemaVersion = 1,
            kind = "report",
            runId = findings.Run.RunId,
            intervalLevel = LimitsSection.IntervalLevel,
            effects = findings.Effects.Select(finding => new
            {
                probe = finding.Artifact.Probe,
                finding.Artifact.Method,
                finding.Artifact.Gradient,
                estimator = finding.Artifact.Estimator,
                finding.Artifact.Treatment.Level,
                treatment = finding.Artifact.Treatment.Kind,
                finding.Artifact.Metric,
                observedMean = finding.Artifact.Observed.Mean,
                observedMetrics = finding.Artifact.Observed.Metrics,
                observedGroups = finding.Artifact.Observed.Groups,
                effects = finding.Stages.Take(PageParts.MaximumRows).Select(stage => new
                {
                    stage.Effect.Stage,
                    stage.Effect.FirstStep,
                    stage.Effect.LastStep,
                    stage.Effect.Example,
                    stage.Effect.Estimate,
                    stage.Effect.Low,
                    stage.Effect.High,
                    stage.Trust,
                    stage.Effect.Evidence,
                    stage.Effect.Estimator,
                    measured = stage.Measured,
                    stage.Standing.VerifiedWith,
                    counterfactualMean = stage.Effect.Counterfactual?.Mean,
                    counterfactualMetrics = stage.Effect.Counterfactual?.Metrics,
                    counterfactualGroups = stage.Effect.Counterfactual?.Groups,
                }),
            }),
            rankings = findings.Rankings.Select(ranking => new { ranking.Confounder, ranking.Probe, ranking.Ranking, ranking.Notes }),
            verifications = findings.Verifications.Select(verification => new
            {
                verification.Gradient,
                verification.Predictions?.Metric,
                verification.Predictions?.Treatment,
                verification.MinPearson,
                verification.Passed,
                stages = verification.Stages.Select(stage => new
                {
                    stage.Stage,
                    estimator = stage.EstimatorOf(verification),
                    stage.Predicted,
                    stage.Measured,
                    stage.Pearson,
                    stage.Spearman,
                    slope = ScatterChart.Slope(stage),
                    stage.RelativeError,
                    stage.Examples,
                    stage.BitIdentical,
                }),
            }),
            stages = findings.Run.Stages,
        },
        AsciiJson);
}
