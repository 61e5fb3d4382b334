using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Reporting.Tests;

internal static partial class SampleAudit
{
    /// <summary>Scores of all 110 steps: step 47 is the largest, step 12 the most lowering.</summary>
    public static EffectsArtifact StepEffects(Func<string, string> name, string level = "step") => Sweep(name, level) with
    {
        Effects = Enumerable.Range(1, Stages.Sum(stage => stage.Steps)).Select(step => new StageEffect
        {
            Stage = level == "batch" ? $"batch of step {step}" : $"step {step}",
            FirstStep = step,
            LastStep = step,
            Metric = "log-likelihood",
            Estimate = step switch { 47 => 0.0521, 12 => -0.0418, _ => Noise(33, step) * 0.01 },
            Trust = TrustGrade.Medium,
            Evidence = SweepEvidence(name),
        }).ToArray(),
    };

    /// <summary>Scores of 40 training examples: example 0 of each stage is the most lowering, example 19 the most raising.</summary>
    public static EffectsArtifact ExampleEffects(Func<string, string> name) => Sweep(name, "example") with
    {
        Effects = Enumerable.Range(0, 40).Select(row => new StageEffect
        {
            Stage = name(Stages[row / 20].Name),
            Example = name($"{Stages[row / 20].Name}-{row % 20}"),
            Metric = "log-likelihood",
            Estimate = ((row % 20) - 9) * 0.001 * (1 + (row / 20)),
            Trust = TrustGrade.Low,
            Evidence = SweepEvidence(name) with { PredictedError = 0.41, Settle = null },
        }).ToArray(),
    };

    private static EffectsArtifact Sweep(Func<string, string> name, string level) => new()
    {
        RunId = RunId, Run = "runs/identity", Probe = Probe(name), Estimator = Estimator.Parse("adjoint"), Treatment = Treatment.Of(level),
        Metric = "log-likelihood", CreatedUtc = Created, AttributeSeconds = 40.1, GradientEquivalents = 231, Observed = Scores(name, 0),
    };

    private static TrustEvidence SweepEvidence(Func<string, string> name) => new()
    {
        Reason = name("3 steps were skipped for a while with true gradients"), PredictedError = 0.1234, Checks = 3,
    };

    private static TrustEvidence Evidence(Func<string, string> name, int stage) => new()
    {
        Reason = name("9 spot-checked steps foretell an error"),
        LinearityGap = 0.0871 * (stage + 1), GradientMismatch = 0.0312 * (stage + 1),
        PredictedError = 0.0214 * Math.Pow(5, stage), Growth = 1.84 / (stage + 1), Checks = 9 - (3 * stage),
        Settle = stage == 2 ? name("stageaudit plan runs/identity --skip gender --out plan.json && stageaudit retrain plan.json") : null,
        SettleGradientEquivalents = stage == 2 ? 80 : null,
    };
}
