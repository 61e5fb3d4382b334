using System.Globalization;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>
/// The same run and question under further seeds: start of the adapter, order of rows and dropout masks are drawn anew, base and data
/// stay. Each seed is a run of its own in the run's folder, trained and attributed to its end before the next; what is complete is left
/// alone and what broke off goes on, so that a sweep that was stopped is asked for again.
/// </summary>
internal sealed class SeedSweep
{
    private const int Most = 1000;

    private readonly JournaledRequest _request;
    private readonly AttributionRequest _question;
    private readonly RunFolder _folder;
    private readonly RunManifest _run;
    private readonly long[] _seeds;

    /// <summary>Checks that the question can be asked of other seeds.</summary>
    /// <param name="request">Which run and probe, and how many seeds beside the run's own: those that follow it.</param>
    /// <param name="question">What is left out.</param>
    /// <exception cref="AuditException">Not whole stages by exact replay, or a run that departs from another.</exception>
    public SeedSweep(JournaledRequest request, AttributionRequest question)
    {
        var further = request.FurtherSeeds;
        if (further is < 1 or > Most)
            throw ConfigurationException.Bad(Setting.Seeds, further.ToString(CultureInfo.InvariantCulture), $"0 to {Most}");
        if (request.Certification is not null)
            throw ConfigurationException.At(Setting.Seeds, $"given with {Setting.Budget}", "every stage by exact replay");
        if (question.Estimator != Estimator.Exact)
            throw ConfigurationException.At(
                Setting.Seeds, $"given with {question.Estimator}", "exact replay: an estimate's error would pass for luck");
        if (question.Treatment is not Treatment.Stage)
            throw ConfigurationException.At(
                Setting.Seeds, $"given with {question.Treatment}", "whole stages: under another seed a step has other rows");
        (_request, _question, _folder) = (request, question, RunFolder.Open(request.Run));
        _run = _folder.ReadManifest();
        if (_run.Start.Kind != RunStartKind.Initial) throw AttributionException.SeedsOfPart(request.Run);
        _seeds = [.. Enumerable.Range(1, further).Select(i => unchecked(_run.Configuration.Seed + i))];
    }

    /// <summary>Trains and attributes under every further seed that was not before.</summary>
    /// <param name="observed">The same effects of this run: what they cost foretells what the others will.</param>
    /// <param name="host">Is told the cost before it is paid.</param>
    /// <returns>The effects of this run and of each seed, in the order of the seeds.</returns>
    public IReadOnlyList<EffectsArtifact> Effects(EffectsArtifact observed, WalkHost host)
    {
        var seconds = _run.TrainSeconds + _run.LogSeconds + observed.AttributeSeconds;
        var missing = _seeds.Count(seed => !Directory.Exists(_folder.SeedFolder(seed)));
        host.Observer.Note(FormattableString.Invariant(
            $"{missing} of {_seeds.Length} further seeds are to be trained and attributed: about {seconds:0} s each, {missing * seconds:0} s in all"));
        return [observed, .. _seeds.Select(seed => Under(seed, host))];
    }

    private EffectsArtifact Under(long seed, WalkHost host)
    {
        var folder = _folder.SeedFolder(seed);
        TrainHop.Run(new TrainRequest(Configuration(seed), folder, Resume: true) { Activity = $"training under seed {seed}" }, host);
        using var run = TrainedRun.Open(folder, host.Device());
        var probe = _request.ReadProbe(run, host);
        return FiledResults.Find(run.Folder, StageAttribution.IdentityOf(run, probe, _question)) is var (filed, _)
            ? filed
            : AttributeHop.Attribute(_request with { Run = folder, Resume = true }, run, probe, _question, host).Record;
    }

    private RunConfiguration Configuration(long seed) => _run.Configuration with
    {
        Seed = seed,
        Model = _run.Configuration.Model.Weights == ModelWeights.Random
            ? _run.Configuration.Model with { Seed = _run.Configuration.Model.Seed ?? _run.Configuration.Seed }
            : _run.Configuration.Model,
    };
}
