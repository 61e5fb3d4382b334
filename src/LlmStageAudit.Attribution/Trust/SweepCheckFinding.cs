namespace LlmStageAudit.Attribution.Trust;

/// <summary>What truly skipping a few steps says of a sweep's scores.</summary>
/// <param name="Error">Their relative error over the checked steps.</param>
/// <param name="Worst">That of the worst of them.</param>
/// <param name="LinearityGap">What taking the probe as linear is off by itself, the true change of the parameters given.</param>
/// <param name="Checks">Steps skipped.</param>
public readonly record struct SweepCheckFinding(double Error, double Worst, double LinearityGap, int Checks);
