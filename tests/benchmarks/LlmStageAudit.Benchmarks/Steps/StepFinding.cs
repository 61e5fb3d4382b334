using LlmStageAudit.Records.Comparisons;

namespace LlmStageAudit.Benchmarks.Steps;

/// <summary>Step scores of one run against true single skips.</summary>
/// <param name="Sweep">As tables name it.</param>
/// <param name="Compared">The scores held against the skips.</param>
/// <param name="PlantedArea">The chance that a planted step scores below another one; NaN where none was planted.</param>
internal sealed record StepFinding(string Optimizer, string Sweep, ComparedEstimator Compared, double PlantedArea);

/// <summary>Seconds of one training and of one sweep over all its steps.</summary>
internal sealed record SweepCost(double TrainingSeconds, double SweepSeconds, double GradientEquivalents)
{
    public double Ratio => SweepSeconds / TrainingSeconds;
}
