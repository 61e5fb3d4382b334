using LlmStageAudit.Records.Comparisons;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Verifications;

namespace LlmStageAudit.Records.Serialization;

/// <summary>
/// What a record must keep to beyond its types: names that become parts of paths, counts that become loops and memory. A file of ours
/// may have been changed by anyone since it was written.
/// </summary>
internal static class ArtifactRules
{
    private const int MostStages = 100;
    private const int MostJobs = 1000;
    private const int LongestId = 128;

    /// <summary>The first rule that is broken, as "field: what is wrong", or null.</summary>
    public static string? Fault(object artifact) => artifact switch
    {
        RunManifest run => OfRun(run),
        PlanArtifact plan => OfPlan(plan),
        EffectsArtifact effects =>
            RunId(effects.RunId) ?? Probe(effects.Probe) ?? Scores("observed", effects.Observed) ?? OfEffects(effects.Effects),
        RankingArtifact ranking => RunId(ranking.RunId) ?? Probe(ranking.Probe),
        VerificationArtifact verification => RunId(verification.RunId) ?? OfVerified(verification.Stages),
        ComparisonArtifact comparison =>
            RunId(comparison.RunId) ?? Probe(comparison.Probe) ?? Count("trainingSteps", comparison.TrainingSteps),
        BlockScoresArtifact scores => RunId(scores.RunId) ?? Probe(scores.Probe) ?? OfBlocks(scores),
        _ => null,
    };

    private static string? OfRun(RunManifest run) =>
        RunId(run.RunId)
        ?? OfConfiguration(run.Configuration)
        ?? OfStages(run)
        ?? (run.ParameterCount is < 0 or > 1L << 48 ? $"parameterCount: {run.ParameterCount}" : null)
        ?? First(run.Parameters, parameter =>
            parameter.Shape.All(size => size is >= 0 and <= 1L << 48)
                ? null
                : $"parameters: the shape of '{parameter.Name}' is negative or too large")
        ?? First(run.Inputs, input =>
            Hash("inputs", input.Sha256) ?? (input.SizeBytes < 0 ? $"inputs: a file of {input.SizeBytes} bytes" : null))
        ?? First(run.Start.SkippedStages, name => Name("start.skippedStages", name))
        ?? (run.Start.AfterStage is { } after ? Name("start.afterStage", after) : null)
        ?? (run.Start.RunId is { } parent ? RunId(parent) : null);

    private static string? OfConfiguration(RunConfiguration configuration)
    {
        // None where a counterfactual run leaves the last stage out.
        if (configuration.Stages.Count > MostStages) return $"configuration.stages: {configuration.Stages.Count} stages";
        if (configuration.Model.Labels is < 2 or > 100_000) return $"configuration.model.labels: {configuration.Model.Labels}";
        if (configuration.Model.MaxLength is < 1 or > 1 << 20) return $"configuration.model.maxLength: {configuration.Model.MaxLength}";
        if (configuration.Adapter?.Rank is < 1 or > 1 << 16) return $"configuration.adapter.rank: {configuration.Adapter.Rank}";
        var names = new HashSet<string>(StringComparer.Ordinal);
        return First(configuration.Stages, stage =>
            Name("configuration.stages", stage.Name)
            ?? (names.Add(stage.Name) ? null : $"configuration.stages: '{stage.Name}' stands there twice")
            ?? (stage.Epochs is < 1 or > 1_000_000 ? $"configuration.stages: {stage.Epochs} epochs" : null)
            ?? (stage.BatchSize is < 1 or > 1_000_000 ? $"configuration.stages: a batch size of {stage.BatchSize}" : null)
            ?? (stage.MicroBatchSize < 1 || stage.MicroBatchSize > stage.BatchSize
                ? $"configuration.stages: a micro-batch size of {stage.MicroBatchSize}"
                : null)
            ?? (stage.Dataset.Limit < 1 ? $"configuration.stages: a limit of {stage.Dataset.Limit}" : null)
            ?? OfOptimizer(stage.Optimizer)
            ?? OfSchedule(stage.Schedule));
    }

    private static string? OfOptimizer(OptimizerSection optimizer)
    {
        var isSound = double.IsFinite(optimizer.LearningRate) && optimizer.LearningRate >= 0
            && IsDecay(optimizer.Momentum) && IsDecay(optimizer.Beta1) && IsDecay(optimizer.Beta2)
            && double.IsFinite(optimizer.WeightDecay) && optimizer.WeightDecay >= 0
            && double.IsFinite(optimizer.Epsilon) && optimizer.Epsilon > 0
            && optimizer.ClipNorm is null or (> 0 and < double.PositiveInfinity);
        return isSound ? null : "configuration.stages: an optimizer setting that a configuration could not have";
    }

    private static string? OfSchedule(ScheduleSection schedule) =>
        schedule.WarmupRatio is >= 0 and <= 1 && schedule.WarmupSteps is null or >= 0
            ? null
            : "configuration.stages: a warm-up that a configuration could not have";

    private static string? OfStages(RunManifest run)
    {
        var last = -1;
        return First(run.Stages, stage =>
        {
            if (stage.Index <= last || stage.Index >= run.Configuration.Stages.Count)
                return $"stages: the index {stage.Index} after {last}";
            last = stage.Index;
            return Name("stages", stage.Name)
                ?? Count("stages: steps", stage.Steps)
                ?? (stage.FirstStep < 1 ? $"stages: first step {stage.FirstStep}" : null)
                ?? (stage.Examples < 0 ? $"stages: {stage.Examples} examples" : null)
                ?? Hash("stages", stage.TrajectoryHead)
                ?? Hash("stages", stage.StateSha256);
        });
    }

    private static string? OfPlan(PlanArtifact plan)
    {
        if (plan.Jobs.Count > MostJobs) return $"jobs: {plan.Jobs.Count} jobs, more than {MostJobs}";
        var ids = new HashSet<string>(StringComparer.Ordinal);
        return RunId(plan.RunId)
            ?? Count("totalSteps", plan.TotalSteps)
            ?? First(plan.Jobs, job =>
                Name("jobs: id", job.Id)
                ?? (ids.Add(job.Id) ? null : $"jobs: '{job.Id}' stands there twice")
                ?? Name("jobs: stage", job.Stage)
                ?? (job.StartsAfter is { } after ? Name("jobs: startsAfter", after) : null)
                ?? First(job.Stages, name => Name("jobs: stages", name))
                ?? Count("jobs: steps", job.Steps));
    }

    private static string? OfEffects(IReadOnlyList<StageEffect> effects) => First(effects, effect =>
        (effect.FirstStep is < 1 || effect.LastStep < effect.FirstStep ? $"effects: steps {effect.FirstStep} to {effect.LastStep}" : null)
        ?? (effect.Evidence is { } evidence ? Count("effects: checks", evidence.Checks) : null)
        ?? (effect.Counterfactual is { } scores ? Scores("effects: counterfactual", scores) : null));

    private static string? OfVerified(IReadOnlyList<VerifiedStage> stages) => First(stages, stage =>
        stage.PredictedPerExample.Count == stage.Examples && stage.MeasuredPerExample.Count == stage.Examples
            ? null
            : $"stages: {stage.PredictedPerExample.Count} predictions and "
                + $"{stage.MeasuredPerExample.Count} measurements of {stage.Examples} examples");

    private static string? OfBlocks(BlockScoresArtifact scores) =>
        scores.Before.Count != scores.After.Count
            ? $"before: {scores.Before.Count} rows for {scores.After.Count} steps"
            : First(scores.Before.Index(), row =>
                row.Item.Count == row.Index + 1 ? null : $"before: {row.Item.Count} values in row {row.Index + 1}");

    private static string? Scores(string where, ProbeScores scores) =>
        First(scores.Groups, group => Count($"{where}.groups: examples", group.Examples));

    private static string? Probe(ProbeReference probe) =>
        Name("probe.name", probe.Name) ?? Hash("probe.sha256", probe.Sha256) ?? Count("probe.examples", probe.Examples);

    private static string? RunId(string id) =>
        id.Length is > 0 and <= LongestId && id.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_')
            ? null
            : $"runId: '{Shorten(id)}' is no run id";

    private static string? Name(string where, string name) =>
        ConfigurationName.IsValid(name) ? null : $"{where}: '{Shorten(name)}' is not {ConfigurationName.Expected}";

    private static string? Hash(string where, string? hash) =>
        hash is null || (hash.Length <= LongestId && hash.All(char.IsAsciiHexDigitLower)) ? null : $"{where}: '{Shorten(hash)}' is no hash";

    private static string? Count(string where, int count) => count >= 0 ? null : $"{where}: {count}";

    private static bool IsDecay(double value) => value is >= 0 and < 1;

    private static string? First<T>(IEnumerable<T> items, Func<T, string?> fault) =>
        items.Select(fault).FirstOrDefault(found => found is not null);

    private static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 60), "...");
}
