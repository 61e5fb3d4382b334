using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution;
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

    private const string Unchecked = "single steps were checked; that says nothing of the sum over many";

    /// <summary>The first and last step of each question, where blocks answer them; null where they are few, or not consecutive.</summary>
    public static IReadOnlyList<(int First, int Last)>? Blocks(Inquiry asked, IReadOnlyList<Counterfactual> questions)
    {
        if (asked.Request.Estimator is not Estimator.Adjoint { Curvature: Curvature.Full } || questions.Count <= AnsweredOneByOne)
            return null;
        if (!asked.FitsBlockTable || asked.Request.ExportFolder is not null) return null;
        var blocks = questions.Select(question => Block(asked.Run, question)).ToArray();
        return blocks.All(block => block is not null) ? [.. blocks.Select(block => block!.Value)] : null;
    }

    public static (IReadOnlyList<StageEffect> Effects, double GradientEquivalents) Effects(
        Inquiry asked, IReadOnlyList<Counterfactual> questions, IReadOnlyList<(int First, int Last)> blocks)
    {
        var cost = 0.0;
        // An attribution that is gone on with may have filed its table; what it has cost is known to the walk only.
        if (asked.Request.Journal.Resumes || Filed(asked) is not { } scores)
        {
            var steps = asked.Request with { Treatment = new Treatment.EachStep() };
            (_, cost) = SweepAttribution.Effects(asked with { Request = steps }, steps.Sweep!);
            scores = ArtifactJson.Read<BlockScoresArtifact>(PathOf(asked));
        }

        var table = new BlockTable(scores.Before, scores.After);
        return (
            [.. questions.Zip(blocks, (question, block) => new StageEffect
            {
                Stage = question.Name,
                FirstStep = block.First,
                LastStep = block.Last,
                Metric = asked.Probe.Performance.Name,
                Estimate = table.Effect(block.First, block.Last),
                Trust = block.First == block.Last ? scores.Trust : TrustGrade.Unknown,
                Evidence = block.First == block.Last
                    ? scores.Evidence
                    : ExactReplayOffer.Offer(scores.Evidence with { Reason = Unchecked }, asked.Run, asked.Probe, question),
            })],
            cost);
    }

    /// <summary>Keeps a sweep's table beside the run.</summary>
    public static void File(Inquiry asked, BlockTable table, TrustGrade trust, TrustEvidence evidence) =>
        ArtifactJson.Write(PathOf(asked), new BlockScoresArtifact
        {
            RunId = asked.Run.Manifest.RunId,
            Probe = asked.Probe.Reference,
            Metric = asked.Probe.Performance.Name,
            Estimator = asked.Request.Estimator,
            CreatedUtc = DateTime.UtcNow,
            After = table.After,
            Before = table.Before,
            Trust = trust,
            Evidence = evidence,
        });

    private static BlockScoresArtifact? Filed(Inquiry asked)
    {
        var (path, probe) = (PathOf(asked), asked.Probe);
        if (!System.IO.File.Exists(path)) return null;
        var filed = ArtifactJson.Read<BlockScoresArtifact>(path);
        var same = filed.RunId == asked.Run.Manifest.RunId && filed.Probe == probe.Reference && filed.Metric == probe.Performance.Name
            && filed.Estimator == asked.Request.Estimator;
        return same ? filed : null;
    }

    private static string PathOf(Inquiry asked) =>
        asked.Run.Folder.BlockScoresPath($"{asked.Probe.Reference.Name}.{asked.Request.Estimator}");

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
