using System.Globalization;
using LlmStageAudit.Auditing;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Retraining.Verification;

namespace LlmStageAudit.Retraining.Hops;

/// <summary>Which predictions are held against retraining.</summary>
/// <param name="Plan">A plan file whose jobs have been retrained.</param>
public sealed record VerifyRequest(string Plan)
{
    /// <summary>The effects file; null: the plan's.</summary>
    public string? Effects { get; init; }

    /// <summary>What every stage's correlation must reach for the verification to pass; null: nothing is demanded.</summary>
    public double? MinPearson { get; init; }
}

/// <summary>Counterfactual runs -> verification: predicted effects against measured ones, filed in the run folder.</summary>
public static class VerifyHop
{
    /// <summary>Files the verification under the names of plan and effects; a missed gate shows in the record, not as an error.</summary>
    /// <exception cref="AuditException">Jobs that are not retrained, or effects of another run or probe.</exception>
    public static Filed<VerificationArtifact> Run(VerifyRequest request, WalkHost host)
    {
        if (request.MinPearson is { } least && !(least is >= -1 and <= 1))
            throw ConfigurationException.Bad(Setting.MinPearson, least.ToString(CultureInfo.InvariantCulture), "a correlation from -1 to 1");
        var file = PlanFile.Open(request.Plan);
        var verification = PlanVerifier.Verify(file, request.Effects, request.MinPearson, host.Device(), host.Cancellation);
        var id = RunFolder.IdFrom(
            $"{Path.GetFileNameWithoutExtension(file.Path)}.{Path.GetFileNameWithoutExtension(verification.EffectsPath)}");
        var path = RunFolder.Open(file.RunPath).VerificationPath(id);
        ArtifactJson.Write(path, verification);
        return new Filed<VerificationArtifact>(verification, path);
    }
}
