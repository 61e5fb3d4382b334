using LlmStageAudit.Artifacts.Plans;
using LlmStageAudit.Artifacts.Runs;
using LlmStageAudit.Artifacts.Serialization;

namespace LlmStageAudit.Retraining.Plans;

/// <summary>A plan with its paths resolved, and where its jobs stand.</summary>
public sealed class PlanFile
{
    private readonly string _folder;

    private PlanFile(string path, PlanArtifact plan) => (Path, Plan, _folder) = (path, plan, System.IO.Path.GetDirectoryName(path)!);

    public string Path { get; }

    public PlanArtifact Plan { get; }

    public string RunPath => Resolve(Plan.Run);

    public string? EffectsPath => Plan.EffectsPath is { } path ? Resolve(path) : null;

    /// <exception cref="Artifacts.Errors.AuditException">No plan, or one whose jobs would be written outside its folder.</exception>
    public static PlanFile Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        var file = new PlanFile(full, ArtifactJson.Read<PlanArtifact>(full));
        foreach (var job in file.Plan.Jobs)
        {
            var inside = file.RunOf(job).StartsWith(file._folder + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal);
            if (!inside) throw RetrainingException.BadPlan(path, $"job '{job.Id}' would be written to {job.Run}, outside the plan's folder");
        }

        return file;
    }

    public string RunOf(PlannedJob job) => Resolve(job.Run);

    /// <summary>pending, running, stopped or completed, as the job's run folder says.</summary>
    public string StateOf(PlannedJob job) => RunFolder.IsRun(RunOf(job))
        ? EnumSpelling<RunState>.Of(RunFolder.Open(RunOf(job)).ReadManifest().State)
        : "pending";

    private string Resolve(string path) => System.IO.Path.GetFullPath(System.IO.Path.Combine(_folder, path));
}
