using System.Diagnostics;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Auditing.Comparison;
using LlmStageAudit.Benchmarks.Comments;
using LlmStageAudit.Probing.Metrics;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Benchmarks.Steps;

/// <summary>Scores of single steps from one adjoint sweep: against true skips, on planted steps, and what they cost.</summary>
internal static class StepsBenchmark
{
    public const int Sample = 12;
    public const int LongSteps = 200;
    public const int LongBatch = 10;
    public const int Repeats = 3;
    public const string QuadraticSweep = "sweep, quadratic readout";
    private const long Seed = 1;

    /// <summary>Of the model, for the planted runs repeated under SGD.</summary>
    public static IReadOnlyList<long> OtherSeeds { get; } = [2, 3, 4, 5];

    private static readonly double[] s_floors = [0, 1e-6, 1e-4, 1e-3];

    private static readonly (string Name, OptimizerSection Section)[] s_optimizers =
        [("AdamW 1e-4", CommentWorkspace.AdamW(1e-4)), ("SGD 1e-3", CommentWorkspace.Sgd)];

    public static void Run()
    {
        using var workspace = new CommentWorkspace();
        var sampled = new List<StepFinding>();
        foreach (var (name, optimizer) in s_optimizers)
        {
            double[] floors = optimizer.Name == OptimizerName.AdamW ? s_floors : [0];
            sampled.AddRange(Compare(workspace, name, workspace.ThreeStages(optimizer, epochs: 1), Sample, floors, null));
        }

        var (dataset, flipped) = FlippedLabels.Write(workspace);
        StepFinding[] planted =
        [
            .. s_optimizers.SelectMany(one => Compare(
                workspace,
                one.Name,
                [CommentWorkspace.Stage("flipped", dataset, one.Section, epochs: 1, shuffle: false)],
                FlippedLabels.Batches,
                [0],
                flipped)),
        ];
        StepFinding[] repeated =
        [
            .. OtherSeeds.SelectMany(seed => Compare(
                workspace,
                $"SGD 1e-3, seed {seed}",
                [CommentWorkspace.Stage("flipped", dataset, CommentWorkspace.Sgd, epochs: 1, shuffle: false)],
                FlippedLabels.Batches,
                [0],
                flipped,
                seed)),
        ];
        SweepCost[] costs = [.. Enumerable.Range(0, Repeats).Select(repeat => Cost(workspace, repeat))];
        StepsReport.Write(sampled, planted, repeated, costs);
    }

    private static List<StepFinding> Compare(
        CommentWorkspace workspace,
        string optimizer,
        StageSection[] stages,
        int sample,
        double[] floors,
        IReadOnlySet<int>? planted,
        long seed = Seed)
    {
        using var scope = NewDisposeScope();
        var folder = $"{(planted is null ? "skips" : "planted")}-{optimizer.Replace(' ', '-')}-{seed}";
        using var run = workspace.Train(folder, stages, seed);
        var comparison = EstimatorComparison.OfSteps(run, new ProbeEffects(run, workspace.ReadProbe(run)), sample, Seed, null, default);
        Console.Error.WriteLine($"steps: {folder}: {sample} skips in {comparison.Reference.Seconds.Shown("F1")} s");
        var findings = new List<StepFinding>
        {
            new(optimizer, "true skips", comparison.Reference, Area(comparison.Reference, planted)),
        };
        foreach (var floor in floors)
        {
            var compared = comparison.Compare(new Estimator.Adjoint(new Curvature.Full(), floor), null, default);
            Add($"sweep, epsilon floor {floor.Shown("0.######")}", compared);
        }

        Add(QuadraticSweep, comparison.Compare(Estimator.Parse("adjoint-quadratic"), null, default));
        return findings;

        void Add(string sweep, Records.Comparisons.ComparedEstimator compared)
        {
            findings.Add(new StepFinding(optimizer, sweep, compared, Area(compared, planted)));
            Console.Error.WriteLine($"  {compared.Estimator}: Spearman {compared.Spearman.Shown("F4")}, {compared.Seconds.Shown("F1")} s");
        }
    }

    /// <summary>Where every step was asked about, in the order of steps.</summary>
    private static double Area(Records.Comparisons.ComparedEstimator compared, IReadOnlySet<int>? planted) => planted is null
        ? double.NaN
        : AreaUnderCurve.Of(
            [.. compared.Effects.Select(effect => -effect.Predicted)], [.. compared.Effects.Select((_, i) => planted.Contains(i + 1))]);

    private static SweepCost Cost(CommentWorkspace workspace, int repeat)
    {
        using var scope = NewDisposeScope();
        var tweets = workspace.Tweets("target != ''", LongSteps * LongBatch);
        var stage = CommentWorkspace.Stage("tweets", tweets, CommentWorkspace.AdamW(1e-4), epochs: 1, LongBatch);
        using var run = workspace.Train($"long-{repeat}", [stage], Seed);
        var gradient = new ProbeEffects(run, workspace.ReadProbe(run)).MeanGradient();
        var sweep = new AdjointSweep(run, new Estimator.Adjoint(new Curvature.Full()), seed: 0);
        var watch = Stopwatch.StartNew();
        var scores = sweep.Run([gradient], ofExamples: false, ofBlocks: false, null, default)[0].Steps;
        var seconds = watch.Elapsed.TotalSeconds;
        if (scores.Count != LongSteps) throw new InvalidOperationException($"{scores.Count} steps were scored");
        var cost = new SweepCost(CommentWorkspace.TrainingSeconds(run), seconds, sweep.GradientEquivalents);
        Console.Error.WriteLine($"steps: training {cost.TrainingSeconds.Shown("F1")} s, sweep {cost.SweepSeconds.Shown("F1")} s");
        return cost;
    }
}
