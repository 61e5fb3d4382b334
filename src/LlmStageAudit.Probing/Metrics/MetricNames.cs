namespace LlmStageAudit.Probing.Metrics;

/// <summary>Keys of metrics in results.</summary>
public static class MetricNames
{
    public const string Accuracy = "accuracy";
    public const string Auc = "auc";
    public const string LogLikelihood = "logLikelihood";
    public const string FalsePositiveRate = "falsePositiveRate";
    public const string FalseNegativeRate = "falseNegativeRate";
    public const string SubgroupAuc = "subgroupAuc";
    public const string BpsnAuc = "bpsnAuc";
    public const string BnspAuc = "bnspAuc";
    public const string WorstGroupAccuracy = "worstGroupAccuracy";
    public const string FinalScore = "finalScore";
    public const string Positives = "positives";
}
