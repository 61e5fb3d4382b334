using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Benchmarks.Trust;

/// <summary>How one run of the calibration is trained.</summary>
internal sealed record CalibrationSetting(OptimizerName Optimizer, double LearningRate, long Seed)
{
    private static readonly double[] s_sgdRates = [1e-3, 3e-3, 1e-2, 3e-2];
    private static readonly double[] s_adamWRates = [1e-4, 5e-4, 2e-3, 5e-3];

    /// <summary>The margins of trust were set on seeds 1 and 2; these are others.</summary>
    private static readonly long[] s_seeds = [3, 4];


    public static IReadOnlyList<CalibrationSetting> All { get; } =
    [
        .. from seed in s_seeds
           from setting in s_sgdRates.Select(rate => new CalibrationSetting(OptimizerName.Sgd, rate, seed))
               .Concat(s_adamWRates.Select(rate => new CalibrationSetting(OptimizerName.AdamW, rate, seed)))
           select setting,
    ];

    public string OptimizerShown => Optimizer == OptimizerName.Sgd ? "SGD" : "AdamW";

    public string Name => $"{OptimizerShown} at {LearningRate.Shown("0.####")}";

    public OptimizerSection Section => new()
    {
        Name = Optimizer,
        LearningRate = LearningRate,
        Momentum = Optimizer == OptimizerName.Sgd ? 0.9 : 0,
        WeightDecay = 0.01,
    };
}
