using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>What is asked about a completed run, with a probe read for its model; who is told of steps walked, and when to stop.</summary>
internal sealed record Inquiry(
    TrainedRun Run,
    Probe Probe,
    AttributionRequest Request,
    IProgress<(int Step, int Total)>? Progress = null,
    CancellationToken Cancellation = default)
{
    /// <summary>Whether one sweep's table holds every set of consecutive steps.</summary>
    public bool FitsBlockTable => Run.Programs.Sum(program => program.Steps.Count) <= BlockTable.MaximumSteps;

    public AdjointSweep Sweep(Estimator.Adjoint estimator) => new(Run, estimator, Run.Configuration.Seed) { Journal = Request.Journal };

    /// <summary>Derivatives of a measure on a probe read for the run's model.</summary>
    /// <exception cref="AttributionException">The measure has no gradient.</exception>
    public static ProbeGradient Derivatives(TrainedRun run, Probe probe, IMeasure measure) => measure.Weighted is { } weighted
        ? new ProbeGradient(run.Model, probe, weighted)
        : throw AttributionException.NotDifferentiable(probe.Configuration.Path, measure.Name);
}
