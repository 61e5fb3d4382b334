using LlmStageAudit.Auditing;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records;
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

    /// <summary>Predictions to verify later; null: the newest filed in the run.</summary>
    public string? Effects { get; init; }
}

/// <summary>Ranking -> plan: what runs, from which checkpoint, at what cost, with what expected effect.</summary>
public static class PlanHop
{
    /// <summary>Plans from what is filed in the run, and writes the plan; nothing is trained.</summary>
    /// <exception cref="AuditException">An unknown stage, an unfinished run, nothing to choose by, or effects of another run.</exception>
    public static Filed<PlanArtifact> Run(PlanRequest request)
    {
        var folder = RunFolder.Open(request.Run);
        var skip = request.Skip.Count > 0 ? request.Skip : PlanBuilder.Choose(folder, request.Top);
        var path = request.Path ?? folder.PlanPath;
        var plan = PlanBuilder.Build(folder, path, skip, request.Effects ?? FiledResults.NewestEffects(folder));
        ArtifactJson.Write(path, plan);
        return new Filed<PlanArtifact>(plan, path);
    }
}
