using System.Text.Json;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Auditing.Screening;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>A long walk that can be gone on with after it broke off.</summary>
public abstract record JournaledRequest : RunProbeRequest
{
    /// <summary>Go on where the same request broke off; the result is the same to the bit.</summary>
    public bool Resume { get; init; }

    /// <summary>The least time between files to go on from; zero: after every step.</summary>
    public TimeSpan SaveInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What may be spent until the top of the ranking is certain; null for the question's estimator throughout.</summary>
    public CertificationRequest? Certification { get; init; }

    /// <summary>Seeds beside the run's own under which run and counterfactuals are trained too; 0 for none.</summary>
    public int FurtherSeeds { get; init; }
}

/// <summary>Which effects of a run on a probe are asked for.</summary>
public sealed record AttributeRequest : JournaledRequest
{
    /// <summary>What is left out, and how its effect is estimated.</summary>
    public AttributionRequest Question { get; init; } = new();
}

/// <summary>Run folder -> effects: what each stage (or set of steps) did to a probe, filed in the run folder.</summary>
public static class AttributeHop
{
    /// <summary>Attributes, and files the effects under the names of probe, estimator and treatment.</summary>
    /// <exception cref="AttributionException">Settings that do not go together, bad or missing logs, non-finite numbers.</exception>
    /// <exception cref="AuditException">A run or a probe that cannot be read.</exception>
    public static Filed<EffectsArtifact> Run(AttributeRequest request, WalkHost host)
    {
        if (request.FurtherSeeds == 0) return Once(request, host);
        var sweep = new SeedSweep(request, request.Question);
        var (effects, path) = Once(request, host);
        var runs = sweep.Effects(effects, host);
        var overSeeds = SeedSummary.Of(
            [.. effects.Effects.Select((effect, i) => (
                runs.Select(run => run.Effects[i].Estimate).ToArray(), RowPValue: 0.0, effect.Significant is not Significance.TooFewRows))]);
        effects = effects with { Effects = [.. effects.Effects.Zip(overSeeds, (effect, over) => effect with { OverSeeds = over })] };
        ArtifactJson.Write(path, effects);
        return new Filed<EffectsArtifact>(effects, path);
    }

    private static Filed<EffectsArtifact> Once(AttributeRequest request, WalkHost host)
    {
        using var run = request.OpenRun(host);
        var probe = request.ReadProbe(run, host);
        var question = request.Question;
        return request.Certification is { } certification
            ? Certify(request, run, probe, probe.Performance, question, certification, question.TreatmentId, host)
            : Attribute(request, run, probe, question, host);
    }

    internal static Filed<EffectsArtifact> Attribute(
        JournaledRequest request, TrainedRun run, Probe probe, AttributionRequest question, WalkHost host) =>
        File(request, run, probe, question, null, question.Id, host, Activity(question), StageAttribution.Attribute);

    /// <summary>The same under a budget: what the measure ranks highest is settled first; the suffix ends the file's name.</summary>
    internal static Filed<EffectsArtifact> Certify(
        JournaledRequest request,
        TrainedRun run,
        Probe probe,
        IMeasure measure,
        AttributionRequest question,
        CertificationRequest certification,
        string suffix,
        WalkHost host) =>
        File(
            request, run, probe, question, certification, $"{certification.Id}.{suffix}", host, "screening and settling",
            asked => new CertifiedAttribution(asked, measure, certification).Attribute());

    private static Filed<EffectsArtifact> File(
        JournaledRequest request,
        TrainedRun run,
        Probe probe,
        AttributionRequest question,
        CertificationRequest? certification,
        string name,
        WalkHost host,
        string activity,
        Func<Inquiry, EffectsArtifact> attribute)
    {
        var id = $"{probe.Reference.Name}.{name}";
        var asked = JsonSerializer.Serialize(
            new
            {
                run.Manifest.RunId,
                Probe = probe.Configuration,
                probe.Reference,
                question.Estimator,
                question.Treatment,
                question.Folds,
                Certification = certification,
                Engine = RunEngine.Describe(run.Model.Device),
            },
            ArtifactJson.CompactOptions);
        var journal = WalkJournal.Open(run.Folder.ProgressFolder(id), asked, request.SaveInterval, request.Resume);
        var effects = host.Walk(
            activity, progress => attribute(new Inquiry(run, probe, question with { Journal = journal }, progress, host.Cancellation)));
        effects = effects with
        {
            Warnings = probe.Warnings,
            // A metric that orders examples is no mean of their effects.
            Effects = probe.Performance.Weighted is null ? effects.Effects : EffectSignificance.Tested(effects.Effects),
        };
        var path = run.Folder.EffectsPath(id);
        ArtifactJson.Write(path, effects);
        journal.Close();
        if (journal.Resumes)
        {
            host.Observer.Note(journal.StepsResumed == 0
                ? "nothing was kept of this attribution: it was done from its beginning"
                : $"went on after {journal.StepsResumed} steps that were walked before");
        }

        return new Filed<EffectsArtifact>(effects, path);
    }

    private static string Activity(AttributionRequest question) => question.Estimator is Estimator.Replay { Source.Name: var source }
        ? $"replaying ({source})"
        : question.Sweep is not null ? "sweeping back" : $"propagating ({question.Estimator.Method})";
}
