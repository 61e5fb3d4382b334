using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>What is to be trained, and where it goes.</summary>
/// <param name="Configuration">The run's.</param>
/// <param name="Folder">The run folder: new, or with <paramref name="Resume"/> one of the same configuration.</param>
/// <param name="Resume">Go on with a run that was stopped or broken off, where there is one.</param>
public sealed record TrainRequest(RunConfiguration Configuration, string Folder, bool Resume = false)
{
    /// <summary>What it is called where progress is shown.</summary>
    public string Activity { get; init; } = "training";
}

/// <summary>Configuration -> run folder: trains the stages of a run, logging every step.</summary>
public static class TrainHop
{
    /// <summary>Trains, or goes on with what the folder holds.</summary>
    /// <returns>The manifest of the completed run.</returns>
    /// <exception cref="AuditException">Inputs, folder or arithmetic will not do; what was trained can be gone on with.</exception>
    public static RunManifest Run(TrainRequest request, WalkHost host)
    {
        var resumes = request.Resume && RunFolder.IsRun(request.Folder);
        if (resumes && RunFolder.Open(request.Folder).ReadManifest() is { State: not RunState.Completed } begun)
            host.WarnOfOtherEngine(begun);
        var run = host.Train(request.Activity, progress => resumes
            ? RunTrainer.Resume(request.Folder, request.Configuration, host.Device(), progress, host.Cancellation, host.Preflight)
            : RunTrainer.Train(
                request.Configuration, request.Folder, host.Device(), progress, host.Cancellation, host.Observer.Warn, host.Preflight));
        if (!resumes) return run;
        foreach (var warning in run.Warnings) host.Observer.Warn(warning);
        return run;
    }
}
