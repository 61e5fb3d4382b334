using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Seals.Verification;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Retraining.Verification;

/// <summary>
/// Holds predicted effects against retrained ones: the probe is run on the observed and on each retrained state, and the
/// differences per example are compared with what the effects file says.
/// </summary>
internal static class PlanVerifier
{
    /// <summary>Runs the probe on all states and compares; nothing is filed.</summary>
    /// <param name="file">A plan whose jobs have been retrained.</param>
    /// <param name="effectsPath">Predictions; null for the plan's.</param>
    /// <param name="minPearson">The gate: every stage's correlation must reach it. Null: nothing is demanded.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="cancellation">Checked between files.</param>
    public static VerificationArtifact Verify(
        PlanFile file, string? effectsPath, double? minPearson, Device? device, CancellationToken cancellation = default)
    {
        var path = effectsPath ?? file.EffectsPath ?? throw RetrainingException.NoEffects(file.Path);
        var effects = ArtifactJson.Read<EffectsArtifact>(path);
        if (effects.RunId != file.Plan.RunId) throw RetrainingException.OtherRun(path, effects.RunId, file.Plan.RunId);
        Confinement.Check($"{path}: probe.path", effects.Probe.Path);
        var waiting = file.Plan.Jobs.Where(job => file.StateOf(job) != "completed").Select(job => job.Id).ToArray();
        if (waiting.Length > 0) throw RetrainingException.NotRetrained(file.Path, waiting);
        // Nothing is verified by a state that retraining did not leave. Inputs, which have whole paths, are looked at where they are read.
        foreach (var folder in file.Plan.Jobs.Select(job => RunFolder.OpenSealed(file.RunOf(job))))
        {
            var findings = RunVerifier.Verify(folder, demandInputs: false, cancellation).Findings
                .Where(finding => !Path.IsPathRooted(finding.File)).ToArray();
            if (findings.Length > 0) throw RetrainingException.NotIntact(folder.Root, findings);
        }

        using var scope = NewDisposeScope();
        using var run = TrainedRun.Open(file.RunPath, device);
        if (run.Manifest.RunId != file.Plan.RunId) throw RetrainingException.OtherRun(file.Path, file.Plan.RunId, run.Manifest.RunId);
        var probe = Probe.Read(ProbeConfigurationReader.Read(effects.Probe.Path), run.Model, run.Materials.Reader);
        if (probe.Reference.Sha256 != effects.Probe.Sha256) throw RetrainingException.OtherProbe(effects.Probe.Path);
        if (probe.Performance.Name != effects.Metric) throw RetrainingException.ProbeChanged(effects.Probe.Path, path);

        var evaluator = new ProbeEvaluator(run.Model, probe);
        var observed = evaluator.Evaluate(run.FinalState());
        var stages = file.Plan.Jobs.Select(job =>
        {
            var predicted = effects.Effects.FirstOrDefault(effect => effect.Stage == job.Stage)
                ?? throw RetrainingException.NotPredicted(path, job.Stage);
            // The same data, but perhaps other rows of it: pairing them by place would compare different examples.
            if (!predicted.PerExample.Select(example => example.Id).SequenceEqual(probe.Examples.Select(example => example.Id)))
                throw RetrainingException.ProbeChanged(effects.Probe.Path, path);
            return Compare(effects, predicted, probe, observed, evaluator.Evaluate(RetrainedState(file.RunOf(job), run.Model)));
        }).ToArray();
        return new VerificationArtifact
        {
            RunId = file.Plan.RunId,
            PlanPath = file.Path,
            EffectsPath = path,
            CreatedUtc = DateTime.UtcNow,
            Predictions = effects.Identity,
            Gradient = effects.Source,
            MinPearson = minPearson,
            // Equal to the bit passes also where a constant effect has no correlation.
            Passed = minPearson is not { } gate || stages.All(stage => stage.Pearson >= gate || stage.RelativeError == 0),
            Stages = stages,
        };
    }

    /// <summary>The final state of a counterfactual run, which may have had no stages left to train.</summary>
    private static Tensor RetrainedState(string path, LanguageModel model)
    {
        var folder = RunFolder.Open(path);
        return StateFolder.Read(folder.FinalStateFolder(folder.ReadManifest()), model);
    }

    private static VerifiedStage Compare(
        EffectsArtifact effects, StageEffect effect, Probe probe, ProbeScores observed, ProbeScores retrained)
    {
        var predicted = effect.PerExample.Select(example => example.Estimate).ToArray();
        var measured = observed.Examples.Zip(retrained.Examples, (o, r) => o.Value - r.Value).ToArray();
        return new VerifiedStage
        {
            Stage = effect.Stage,
            Estimator = effect.Estimator ?? effects.Estimator,
            Predicted = effect.Estimate,
            Measured = probe.Performance.Evaluate(observed.Examples) - probe.Performance.Evaluate(retrained.Examples),
            Pearson = Correlation.Pearson(predicted, measured),
            Spearman = Correlation.Spearman(predicted, measured),
            RelativeError = Correlation.RelativeError(predicted, measured),
            Examples = measured.Length,
            PredictedPerExample = predicted,
            MeasuredPerExample = measured,
            BitIdentical = predicted.SequenceEqual(measured),
        };
    }
}
