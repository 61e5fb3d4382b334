using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Records.Verifications;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>The inputs of a report put in order: what belongs to the run, best estimate first, each beside its verification.</summary>
internal sealed class AuditFindings
{
    public AuditFindings(ReportInputs inputs)
    {
        Inputs = inputs;
        Rankings =
        [
            .. inputs.Rankings.Where(ranking => IsOwn(ranking.RunId))
                .OrderBy(ranking => Worst(ranking.Ranking.Select(stage => stage.Trust ?? TrustGrade.Unknown)))
                .ThenByDescending(ranking => ranking.CreatedUtc),
        ];
        Verifications =
        [
            .. inputs.Verifications.Where(verification => IsOwn(verification.RunId))
                .OrderByDescending(verification => verification.CreatedUtc),
        ];
        Effects =
        [
            .. inputs.Effects.Where(effects => IsOwn(effects.RunId))
                .Select(Pair)
                .OrderBy(finding => finding.Artifact.Treatment.Level != "stage")
                .ThenBy(finding => finding.Artifact.Probe.Name, StringComparer.Ordinal)
                .ThenBy(finding => finding.Artifact.Metric, StringComparer.Ordinal)
                .ThenBy(finding => finding.Top?.Standing.Trust ?? TrustGrade.Unknown)
                .ThenBy(finding => Worst(finding.Stages.Select(stage => stage.Standing.Trust)))
                .ThenByDescending(finding => finding.Artifact.CreatedUtc),
        ];
    }

    public ReportInputs Inputs { get; }

    public RunManifest Run => Inputs.Run;

    /// <summary>Stages before steps and examples; of one probe and metric the best trusted answer first.</summary>
    public IReadOnlyList<EffectFinding> Effects { get; }

    /// <summary>The first estimate of every probe, metric and level.</summary>
    public IEnumerable<EffectFinding> Answers =>
        Effects.DistinctBy(finding => (finding.Artifact.Probe.Path, finding.Artifact.Metric, finding.Artifact.Treatment.Level));

    public EffectFinding? Primary => Effects.FirstOrDefault();

    /// <summary>The best trusted first.</summary>
    public IReadOnlyList<RankingArtifact> Rankings { get; }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<VerificationArtifact> Verifications { get; }

    /// <summary>The steps of each stage, as the run made them.</summary>
    public IReadOnlyList<StageBand> Bands =>
    [
        .. Run.Stages.Where(stage => stage is { FirstStep: not null, Steps: > 0 })
            .OrderBy(stage => stage.FirstStep)
            .Select(stage => new StageBand(stage.Name, stage.FirstStep!.Value, stage.FirstStep.Value + stage.Steps - 1)),
    ];

    /// <summary>The run folder as a shell argument; RUN where no input names it.</summary>
    public string RunArgument =>
        (Primary?.Artifact.Run ?? Rankings.FirstOrDefault()?.Run) is { } path ? ShellText.Quote(path) : "RUN";

    /// <summary>A probe file as a shell argument; PROBE.yaml where none is known.</summary>
    public string ProbeArgument =>
        (Primary?.Artifact.Probe.Path ?? Run.Configuration.Probes.FirstOrDefault()) is { } path ? ShellText.Quote(path) : "PROBE.yaml";

    /// <summary>What computes the effects that are missing.</summary>
    public string AttributeCommand => Setting.Command("attribute", RunArgument, (Setting.Probe, ProbeArgument));

    /// <summary>What a reader must know before anything else.</summary>
    public IEnumerable<string> Notices()
    {
        if (Run.State == RunState.Running)
            yield return "The run had not ended when this report was made: its last stages may be missing.";
        if (Run.State == RunState.Stopped)
            yield return $"The run was stopped before its end: train it to the end with {Setting.Resuming}.";
        var warnings = Run.Warnings
            .Concat(Effects.SelectMany(effects => effects.Artifact.Warnings))
            .Concat(Rankings.SelectMany(ranking => ranking.Warnings));
        foreach (var warning in warnings.Distinct()) yield return $"Warning: {warning.Message}.";
        var foreign = Inputs.Effects.Select(effects => (What: "Effects", effects.RunId))
            .Concat(Inputs.Rankings.Select(ranking => ("A ranking", ranking.RunId)))
            .Concat(Inputs.Verifications.Select(verification => ("A verification", verification.RunId)))
            .Where(found => !IsOwn(found.RunId))
            .Distinct();
        foreach (var (what, runId) in foreign) yield return $"{what} of run {runId} left out: this report is about run {Run.RunId}.";
        foreach (var verification in Verifications.Where(verification => !verification.Passed))
        {
            yield return "A verification did not pass its gate: Pearson of at least "
                + $"{NumberText.Value(verification.MinPearson ?? double.NaN)} was asked for.";
        }
    }

    private EffectFinding Pair(EffectsArtifact effects)
    {
        var stages = effects.Effects
            .Select(effect => new StageFinding(effect, Standing.Of(effects, effect, Verifications)))
            .OrderByDescending(stage => stage.Size >= 0)
            .ThenByDescending(stage => stage.Estimate)
            .ThenBy(stage => stage.Effect.FirstStep)
            .ThenBy(stage => stage.Effect.Stage, StringComparer.Ordinal)
            .ThenBy(stage => stage.Effect.Example, StringComparer.Ordinal);
        return new EffectFinding(effects, [.. stages]);
    }

    private static TrustGrade Worst(IEnumerable<TrustGrade> grades) => grades.DefaultIfEmpty(TrustGrade.Unknown).Max();

    private bool IsOwn(string runId) => runId == Run.RunId;
}

/// <summary>
/// What a report is made of. Lists may be empty: the page then says what is missing and which command makes it. Results of another run are
/// left out of the page, which says so.
/// </summary>
internal sealed record ReportInputs
{
    public required RunManifest Run { get; init; }

    public IReadOnlyList<EffectsArtifact> Effects { get; init; } = [];

    public IReadOnlyList<RankingArtifact> Rankings { get; init; } = [];

    public IReadOnlyList<VerificationArtifact> Verifications { get; init; } = [];

    /// <summary>All logged steps of the run, in step order.</summary>
    public IReadOnlyList<StepRecord> Steps { get; init; } = [];
}
