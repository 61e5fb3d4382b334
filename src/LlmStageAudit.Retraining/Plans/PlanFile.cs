using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Retraining.Plans;

/// <summary>A plan with its paths resolved, and where its jobs stand.</summary>
public sealed class PlanFile
{
    private readonly string _folder;

    private PlanFile(string path, PlanArtifact plan) => (Path, Plan, _folder) = (path, plan, System.IO.Path.GetDirectoryName(path)!);

    /// <summary>Absolute path of the plan file.</summary>
    public string Path { get; }

    /// <summary>As written: its paths are relative to its folder.</summary>
    public PlanArtifact Plan { get; }

    /// <summary>Absolute path of the observed run's folder.</summary>
    public string RunPath => Resolve(Plan.Run);

    /// <summary>Absolute path of the predictions; null where the plan was made without.</summary>
    public string? EffectsPath => Plan.EffectsPath is { } path ? Resolve(path) : null;

    /// <summary>
    /// Reads a plan, which may come from anywhere: it writes nowhere but into PLAN.runs/ID beside itself. The run and the effects it names
    /// may lie elsewhere, for the tool's own plans do; they are only read, and refused where their run id is not the plan's.
    /// </summary>
    /// <exception cref="Foundation.Errors.AuditException">
    /// No plan, one that anybody may write, or one whose jobs would be written somewhere else.
    /// </exception>
    public static PlanFile Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        var file = new PlanFile(full, ArtifactJson.Read<PlanArtifact>(full));
        if (WorldWrite.Fault(full) is { } open) throw RetrainingException.BadPlan(path, open, WorldWrite.Expected, WorldWrite.Remedy);
        Confinement.Check($"{path}: run", file.RunPath);
        Confinement.Check($"{path}: effectsPath", file.EffectsPath);
        Confinement.Check($"{path}: probePath", file.Plan.ProbePath is { } probe ? file.Resolve(probe) : null);
        foreach (var job in file.Plan.Jobs) file.CheckPlace(job);
        return file;
    }

    /// <summary>Where a plan's jobs are written: its name with <c>.runs</c> in place of the extension, and the job's id.</summary>
    public static string RunOf(string planPath, string jobId) =>
        System.IO.Path.Combine(System.IO.Path.GetFileNameWithoutExtension(planPath) + ".runs", jobId);

    /// <summary>Absolute path of the run folder that a job writes, whether it is there yet or not.</summary>
    public string RunOf(PlannedJob job) => Resolve(job.Run);

    /// <summary>pending, running, stopped or completed, as the job's run folder says.</summary>
    public string StateOf(PlannedJob job) => RunFolder.IsRun(RunOf(job))
        ? EnumSpelling<RunState>.Of(RunFolder.Open(RunOf(job)).ReadManifest().State)
        : "pending";

    /// <summary>Keeps the plan to one executor, so that no two train the same job; the result is disposed to let go.</summary>
    /// <exception cref="RetrainingException">Another process, or this one, runs the plan already; the message says which.</exception>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    internal FileLock Lock()
    {
        var folder = System.IO.Path.ChangeExtension(Path, ".runs");
        DurableFolder.Create(folder);
        var (file, holderFile) = (System.IO.Path.Combine(folder, "retrain.lock"), System.IO.Path.Combine(folder, "retrain.holder"));
        return FileLock.TryAcquire(file, holderFile, out var holder) ?? throw RetrainingException.InUse(Path, holder!);
    }

    private void CheckPlace(PlannedJob job)
    {
        var place = Resolve(RunOf(Path, job.Id));
        if (RunOf(job) != place)
            throw RetrainingException.BadPlan(Path, $"job '{job.Id}' would be written to {job.Run}, not to {RunOf(Path, job.Id)}");
        var real = System.IO.Path.Combine(RealPath.Of(_folder), RunOf(Path, job.Id));
        if (RealPath.Of(place) != real)
            throw RetrainingException.BadPlan(Path, $"job '{job.Id}' would be written through a link to {RealPath.Of(place)}");
    }

    private string Resolve(string path) => System.IO.Path.GetFullPath(System.IO.Path.Combine(_folder, path));
}
