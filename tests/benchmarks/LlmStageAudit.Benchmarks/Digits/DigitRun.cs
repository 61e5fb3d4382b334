using LlmStageAudit.Attribution;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>A trained perceptron and what is asked of its training: one question a column of the table.</summary>
internal sealed class DigitRun : IDisposable
{
    public const int DefaultBatchSize = 128;
    public const int Hidden = 128;

    /// <summary>The digit that only inserted batches show.</summary>
    public const int ForeignDigit = 9;

    public const int InsertedSteps = 5;

    /// <summary>One step in so many has wrong labels.</summary>
    public const int MislabeledShare = 10;

    private readonly List<PerceptronObjective> _objectives = [];

    private DigitRun(IReadOnlyList<(string Name, DigitSet Digits, IReadOnlyList<int[]> Batches)> stages, long seed, int batchSize)
    {
        var programs = stages.Select(stage =>
        {
            var objective = new PerceptronObjective(stage.Digits.Images, stage.Digits.Labels, Hidden, DigitSet.Classes);
            _objectives.Add(objective);
            return new StageProgram(Section(stage.Name, batchSize), objective, seed, stage.Batches.Select(static batch => (0, batch)));
        }).ToArray();
        using var start = _objectives[0].Start(seed);
        Trajectory = MemoryTrajectory.Train(programs, start);
    }

    public static IReadOnlyList<double> Rotations { get; } = [0, 45, 90];

    public static OptimizerSection Optimizer { get; } =
        new() { Name = OptimizerName.Sgd, LearningRate = 1e-3, Momentum = 0.9, WeightDecay = 1e-5 };

    public MemoryTrajectory Trajectory { get; }

    /// <summary>The columns' names and what each leaves out.</summary>
    public required IReadOnlyList<(string Column, Counterfactual Without)> Questions { get; init; }

    /// <summary>Steps (1-based) that were made foreign or wrong; empty where whole stages are asked for.</summary>
    public IReadOnlyCollection<int> PlantedSteps { get; init; } = [];

    /// <summary>One job on all digits but one, into which a few batches of that digit are inserted at random places.</summary>
    public static DigitRun Insert(DigitSet train, long seed, int batchSize = DefaultBatchSize)
    {
        var order = Order(train, seed, "insert");
        var ordinary = order.Where(i => train.Labels[i] != ForeignDigit).Chunk(batchSize).ToArray();
        var foreign = order.Where(i => train.Labels[i] == ForeignDigit).Chunk(batchSize).Take(InsertedSteps);
        var planted = PickSteps(ordinary.Length + InsertedSteps, InsertedSteps, seed, "insert");
        var (nextOrdinary, nextForeign) = (new Queue<int[]>(ordinary), new Queue<int[]>(foreign));
        int[][] batches =
        [
            .. Enumerable.Range(1, ordinary.Length + InsertedSteps)
                .Select(step => (planted.Contains(step) ? nextForeign : nextOrdinary).Dequeue()),
        ];
        return new DigitRun([("job", train, batches)], seed, batchSize)
        {
            Questions = [("Insert", Counterfactual.WithoutSteps("inserted", 0, planted))],
            PlantedSteps = planted,
        };
    }

    /// <summary>One job on all digits, in some of whose batches every label is one of the nine wrong ones.</summary>
    public static DigitRun Mislabel(DigitSet train, long seed, int batchSize = DefaultBatchSize)
    {
        var batches = Order(train, seed, "mislabel").Chunk(batchSize).ToArray();
        var planted = PickSteps(batches.Length, batches.Length / MislabeledShare, seed, "mislabel");
        var random = StableRandom.For(seed, "wrong labels");
        var labels = train.Labels.ToArray();
        foreach (var example in planted.Order().SelectMany(step => batches[step - 1]))
            labels[example] = (labels[example] + 1 + random.Next(DigitSet.Classes - 1)) % DigitSet.Classes;
        return new DigitRun([("job", train with { Labels = labels }, batches)], seed, batchSize)
        {
            Questions = [("Mislabel", Counterfactual.WithoutSteps("mislabeled", 0, planted))],
            PlantedSteps = planted,
        };
    }

    /// <summary>Three jobs on a third of the digits each: upright, turned by 45 degrees, turned by 90.</summary>
    public static DigitRun Shift(DigitSet train, long seed, int batchSize = DefaultBatchSize)
    {
        var thirds = Order(train, seed, "shift").Chunk((train.Count + Rotations.Count - 1) / Rotations.Count).ToArray();
        return new DigitRun(
            [
                .. Rotations.Select((degrees, stage) => (
                    $"stage-{stage + 1}",
                    train.Take(thirds[stage]).Rotated(degrees),
                    (IReadOnlyList<int[]>)[.. Enumerable.Range(0, thirds[stage].Length).Chunk(batchSize)])),
            ],
            seed,
            batchSize)
        {
            Questions =
            [
                .. Rotations.Select(
                    (_, stage) => ($"Shift {stage + 1}", Counterfactual.WithoutStage($"stage-{stage + 1}", stage))),
            ],
        };
    }

    public void Dispose()
    {
        Trajectory.Dispose();
        foreach (var objective in _objectives) objective.Dispose();
    }

    private static int[] Order(DigitSet train, long seed, string name)
    {
        var order = Enumerable.Range(0, train.Count).ToArray();
        StableRandom.For(seed, "order", name).Shuffle<int>(order);
        return order;
    }

    private static HashSet<int> PickSteps(int steps, int count, long seed, string name)
    {
        var all = Enumerable.Range(1, steps).ToArray();
        StableRandom.For(seed, "planted", name).Shuffle<int>(all);
        return [.. all.Take(count)];
    }

    private static StageSection Section(string name, int batchSize) => new()
    {
        Name = name,
        Dataset = new DatasetSection { Path = "digits" },
        BatchSize = batchSize,
        Optimizer = Optimizer,
        Schedule = new ScheduleSection { Name = ScheduleName.Constant },
    };
}
