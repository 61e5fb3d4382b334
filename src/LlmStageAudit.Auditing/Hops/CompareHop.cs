using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Comparison;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Comparisons;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>Which estimators are held against retraining.</summary>
public sealed record CompareRequest : RunProbeRequest
{
    /// <summary>Beside exact replay, which is retraining.</summary>
    public required IReadOnlyList<Estimator> Estimators { get; init; }

    /// <summary>Single steps left out, so many of them, drawn by the run's seed; null: each stage left out.</summary>
    public int? SampledSteps { get; init; }

    /// <summary>Told of each estimator when it is done.</summary>
    public Action<ComparedEstimator>? Compared { get; init; }
}

/// <summary>Run folder -> comparison: correlation and error of the effects that estimators predict, and what each costs.</summary>
public static class CompareHop
{
    /// <summary>Compares, and files the comparison under the names of probe and level.</summary>
    /// <exception cref="AttributionException">A probe without a gradient where steps are compared.</exception>
    /// <exception cref="AuditException">A run or a probe that cannot be read.</exception>
    public static Filed<ComparisonArtifact> Run(CompareRequest request, WalkHost host)
    {
        using var run = request.OpenRun(host);
        var probe = request.ReadProbe(run, host);
        // A sweep would say so only after the retraining.
        if (request.SampledSteps is not null && probe.Performance.Weighted is null)
            throw AttributionException.NotDifferentiable(request.Probe.Path, probe.Performance.Name);

        var effects = new ProbeEffects(run, probe);
        var comparison = host.Walk("exact", progress => request.SampledSteps is { } sample
            ? EstimatorComparison.OfSteps(run, effects, sample, run.Configuration.Seed, progress, host.Cancellation)
            : EstimatorComparison.OfStages(run, effects, run.Configuration.Seed, progress, host.Cancellation));
        request.Compared?.Invoke(comparison.Reference);
        var compared = new List<ComparedEstimator> { comparison.Reference };
        foreach (var estimator in request.Estimators.Where(estimator => estimator != comparison.Reference.Estimator))
        {
            compared.Add(host.Walk($"{estimator}", progress => comparison.Compare(estimator, progress, host.Cancellation)));
            request.Compared?.Invoke(compared[^1]);
        }

        var artifact = new ComparisonArtifact
        {
            RunId = run.Manifest.RunId,
            Run = run.Folder.Root,
            Probe = probe.Reference,
            Treatment = request.SampledSteps is null ? new Treatment.Stage() : new Treatment.EachStep(),
            Metric = effects.Metric,
            CreatedUtc = DateTime.UtcNow,
            TrainingSteps = run.Programs.Sum(program => program.Steps.Count),
            TrainingSeconds = run.Manifest.Stages.Sum(stage => stage.TrainSeconds + stage.LogSeconds),
            Estimators = compared,
        };
        var path = run.Folder.ComparisonPath($"{probe.Reference.Name}.{artifact.Treatment}");
        ArtifactJson.Write(path, artifact);
        return new Filed<ComparisonArtifact>(artifact, path);
    }
}
