using LlmStageAudit.Auditing.Comparison;
using LlmStageAudit.Records.Comparisons;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Benchmarks.Comments;

/// <summary>Every estimator against retraining, on LoRA over three jobs of real tweets.</summary>
internal static class CommentsBenchmark
{
    public const int Epochs = 1;

    /// <summary>Differentiates once more per layer: more than twenty trainings, and so is asked about one run only.</summary>
    public const string Costliest = "aa-score-layer-wise";

    private static readonly long[] s_seeds = [1, 2];

    private static readonly (string Name, OptimizerSection Section)[] s_optimizers =
    [
        ("SGD, momentum 0.9, weight decay 1e-5, learning rate 1e-3", CommentWorkspace.Sgd),
        ("AdamW, weight decay 0.01, learning rate 1e-4", CommentWorkspace.AdamW(1e-4)),
        ("AdamW, weight decay 0.01, learning rate 5e-4", CommentWorkspace.AdamW(5e-4)),
    ];

    public static void Run()
    {
        using var workspace = new CommentWorkspace();
        var figures = new List<CommentFigures>();
        for (var i = 0; i < s_optimizers.Length; i++)
        {
            foreach (var seed in s_seeds)
            {
                var (name, optimizer) = s_optimizers[i];
                figures.Add(Compare(workspace, name, workspace.ThreeStages(optimizer, Epochs), $"run-{i}-{seed}", seed));
            }
        }

        CommentsReport.Write(figures);
    }

    private static CommentFigures Compare(CommentWorkspace workspace, string optimizer, StageSection[] stages, string folder, long seed)
    {
        using var scope = NewDisposeScope();
        using var run = workspace.Train(folder, stages, seed);
        var seconds = CommentWorkspace.TrainingSeconds(run);
        Console.Error.WriteLine($"comments: {optimizer}, seed {seed}: trained in {seconds.Shown("F1")} s");
        var comparison = EstimatorComparison.OfStages(run, new ProbeEffects(run, workspace.ReadProbe(run)), seed, null, default);
        var compared = new List<ComparedEstimator> { comparison.Reference };
        foreach (var estimator in EstimatorList.Parse(string.Join(',', EstimatorList.OfStages)))
        {
            if ($"{estimator}" == Costliest && (optimizer, seed) != (s_optimizers[0].Name, s_seeds[0])) continue;
            compared.Add(comparison.Compare(estimator, null, default));
            Console.Error.WriteLine($"  {estimator}: Pearson {compared[^1].Pearson.Shown("F4")}, {compared[^1].Seconds.Shown("F1")} s");
        }

        return new CommentFigures(optimizer, seed, seconds, compared);
    }
}
