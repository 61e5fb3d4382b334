using LlmStageAudit.Attribution.Replay;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>Where a counterfactual stands to the observed run.</summary>
public static class LeftOut
{
    /// <summary>Whether the counterfactual makes the step, and from another state than the run's.</summary>
    public static bool Diverges(this Counterfactual question, int stage, int stageStep) =>
        !question.SkipsStep(stage, stageStep)
        && (stage > question.FirstStage
            || (stage == question.FirstStage && question.Skipped[stage] is { } steps && stageStep > steps.Min()));
}
