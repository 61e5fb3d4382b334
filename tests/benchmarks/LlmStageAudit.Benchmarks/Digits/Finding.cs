namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>What one seed's runs are like: how well planted steps are singled out, and the share of probe digits read right.</summary>
internal sealed record Finding(
    double InsertArea, double MislabelArea, double InsertAccuracy, double MislabelAccuracy, double ShiftAccuracy);
