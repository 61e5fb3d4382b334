using System.Globalization;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Benchmarks.Trust;

/// <summary>
/// How one run of the calibration is trained: model, optimizer, learning rate, schedule and the lengths of its stages, drawn by a number.
/// Runs that hold grades to their promise are drawn by another key, and their models have shapes of their own.
/// </summary>
internal sealed record CalibrationSetting
{
    public const int StageCount = 3;

    private static readonly string[] s_families = ["gpt_neox", "llama"];
    private static readonly int[] s_hidden = [24, 32];
    private static readonly int[] s_heldOutHidden = [16, 40];
    private static readonly int[] s_lengths = [1, 2, 3, 4, 6, 8, 12, 16, 20, 24];
    private static readonly int[] s_warmups = [0, 0, 1, 2, 4];
    private static readonly int[] s_ranks = [2, 4, 8];

    private CalibrationSetting(bool isHeldOut, int number)
    {
        (IsHeldOut, Number) = (isHeldOut, number);
        var random = StableRandom.For(number, isHeldOut ? "held out" : "calibration");
        Family = Of(s_families);
        Hidden = Of(isHeldOut ? s_heldOutHidden : s_hidden);
        Layers = 1 + random.Next(2);
        Task = random.Next(4) == 0 ? ModelTask.CausalLm : ModelTask.SequenceClassification;
        Rank = random.Next(5) == 0 ? null : Of(s_ranks);
        BatchSize = 4 << random.Next(2);
        var isSgd = random.Next(2) == 0;
        var (low, high) = isSgd ? (3e-4, 6e-2) : (3e-5, 6e-3);
        var rate = low * Math.Pow(high / low, random.NextDouble());
        Optimizer = new OptimizerSection
        {
            Name = isSgd ? OptimizerName.Sgd : OptimizerName.AdamW,
            LearningRate = double.Parse(rate.ToString("G2", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
            Momentum = isSgd && random.Next(3) > 0 ? 0.9 : 0,
            WeightDecay = random.Next(2) == 0 ? 0 : 0.01,
            ClipNorm = random.Next(4) == 0 ? 1 : null,
        };
        Schedule = new ScheduleSection { Name = (ScheduleName)random.Next(3), WarmupSteps = Of(s_warmups) };
        Lengths = [.. Enumerable.Range(0, StageCount).Select(_ => Of(s_lengths))];
        Seed = 1 + random.Next(1_000_000);

        T Of<T>(T[] choices) => choices[random.Next(choices.Length)];
    }

    public bool IsHeldOut { get; }

    public int Number { get; }

    public string Family { get; }

    public int Hidden { get; }

    public int Layers { get; }

    public ModelTask Task { get; }

    /// <summary>Of LoRA; null: all parameters are trained.</summary>
    public int? Rank { get; }

    public int BatchSize { get; }

    public OptimizerSection Optimizer { get; }

    public ScheduleSection Schedule { get; }

    /// <summary>Steps of each stage.</summary>
    public IReadOnlyList<int> Lengths { get; }

    public long Seed { get; }

    public static IEnumerable<CalibrationSetting> Drawn(bool heldOut, int runs) =>
        Enumerable.Range(1, runs).Select(number => new CalibrationSetting(heldOut, number));
}
