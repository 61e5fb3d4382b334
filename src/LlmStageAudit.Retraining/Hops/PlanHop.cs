using LlmStageAudit.Auditing;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Retraining.Plans;

namespace LlmStageAudit.Retraining.Hops;

/// <summary>Which stages a run is to be retrained without.</summary>
/// <param name="Run">The folder of a completed run.</param>
public sealed record PlanRequest(string Run)
{
    /// <summary>Stages to leave out, one job each; empty: as many as <see cref="Top"/> says.</summary>
    public IReadOnlyList<string> Skip { get; init; } = [];

    /// <summary>How many of the stages that rank highest, where none is named.</summary>
    public int Top { get; init; } = 1;

    /// <summary>The plan file; null: plan.json in the run folder.</summary>
    public string? Path { get; init; }

    /// <summary>Effects or a ranking to plan by; null: the best trusted of those filed in the run, if they answer one question.</summary>
    public string? From { get; init; }
}

/// <summary>Ranking -> plan: what runs, from which checkpoint, at what cost, with what expected effect.</summary>
public static class PlanHop
{
    /// <summary>Plans from what is filed in the run, and writes the plan; nothing is trained.</summary>
    /// <exception cref="AuditException">An unknown stage, an unfinished run, nothing to choose by, or effects of another run.</exception>
    public static Filed<PlanArtifact> Run(PlanRequest request)
    {
        var folder = RunFolder.Open(request.Run);
        var basis = request.Skip.Count > 0
            ? PlanBasis.Of(folder, request.Skip, request.From)
            : PlanBasis.Automatic(folder, request.Top, request.From);
        var path = request.Path ?? folder.PlanPath;
        var plan = PlanBuilder.Build(folder, path, basis);
        ArtifactJson.Write(path, plan);
        return new Filed<PlanArtifact>(plan, path);
    }
}
