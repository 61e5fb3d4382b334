using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>
/// Effects of sets of consecutive steps, and of stages, out of one sweep's block scores. They are filed with the run, so a later
/// partition of it costs nothing.
/// </summary>
internal static class BlockAttribution
{
    /// <summary>Up to so many questions are propagated forward, which gives every probe example's effect and so an interval.</summary>
    private const int AnsweredOneByOne = 8;

    /// <summary>The first and last step of each question, where blocks answer them; null where they are few, or not consecutive.</summary>
    public static IReadOnlyList<(int First, int Last)>? Blocks(
        TrainedRun run, AttributionRequest request, IReadOnlyList<Counterfactual> questions)
    {
        if (request.Estimator is not Estimator.Adjoint { Curvature: Curvature.Full } || questions.Count <= AnsweredOneByOne)
            return null;
        if (run.Programs.Sum(program => program.Steps.Count) > BlockTable.MaximumSteps || request.ExportFolder is not null) return null;
        var blocks = questions.Select(question => Block(run, question)).ToArray();
        return blocks.All(block => block is not null) ? [.. blocks.Select(block => block!.Value)] : null;
    }

    public static (IReadOnlyList<StageEffect> Effects, double GradientEquivalents) Effects(
        TrainedRun run,
        Probe probe,
        AttributionRequest request,
        IReadOnlyList<Counterfactual> questions,
        IReadOnlyList<(int First, int Last)> blocks,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        var cost = 0.0;
        // An attribution that is gone on with may have filed its table; what it has cost is known to the walk only.
        if (request.Journal.Resumes || Filed(run, probe, request) is not { } scores)
        {
            var steps = request with { Treatment = new Treatment.EachStep() };
            (_, cost) = SweepAttribution.Effects(run, probe, steps, steps.Sweep!, progress, cancellation);
            scores = ArtifactJson.Read<BlockScoresArtifact>(PathOf(run, probe, request));
        }

        var table = new BlockTable(scores.Before, scores.After);
        return (
            [.. questions.Zip(blocks, (question, block) => new StageEffect
            {
                Stage = question.Name,
                FirstStep = block.First,
                LastStep = block.Last,
                Metric = probe.Performance.Name,
                Estimate = table.Effect(block.First, block.Last),
                Trust = scores.Trust,
                Evidence = scores.Evidence,
            })],
            cost);
    }

    /// <summary>Keeps a sweep's table beside the run.</summary>
    public static void File(
        TrainedRun run, Probe probe, AttributionRequest request, BlockTable table, string trust, TrustEvidence evidence) =>
        ArtifactJson.Write(PathOf(run, probe, request), new BlockScoresArtifact
        {
            RunId = run.Manifest.RunId,
            Probe = probe.Reference,
            Metric = probe.Performance.Name,
            Estimator = request.Estimator,
            CreatedUtc = DateTime.UtcNow,
            After = table.After,
            Before = table.Before,
            Trust = trust,
            Evidence = evidence,
        });

    private static BlockScoresArtifact? Filed(TrainedRun run, Probe probe, AttributionRequest request)
    {
        var path = PathOf(run, probe, request);
        if (!System.IO.File.Exists(path)) return null;
        var filed = ArtifactJson.Read<BlockScoresArtifact>(path);
        var same = filed.RunId == run.Manifest.RunId && filed.Probe == probe.Reference && filed.Metric == probe.Performance.Name
            && filed.Estimator == request.Estimator;
        return same ? filed : null;
    }

    private static string PathOf(TrainedRun run, Probe probe, AttributionRequest request) =>
        run.Folder.BlockScoresPath($"{probe.Reference.Name}.{request.Estimator}");

    private static (int First, int Last)? Block(TrainedRun run, Counterfactual question)
    {
        var steps = question.Skipped
            .SelectMany(pair => run.Programs[pair.Key].Steps
                .Where(step => question.SkipsStep(pair.Key, step.StageStep))
                .Select(step => StepSet.FirstStep(run.Programs, pair.Key) + step.StageStep - 1))
            .Order().ToArray();
        return steps[^1] - steps[0] + 1 == steps.Length ? (steps[0], steps[^1]) : null;
    }
}
