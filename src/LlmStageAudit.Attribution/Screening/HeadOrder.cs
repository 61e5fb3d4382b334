namespace LlmStageAudit.Attribution.Screening;

/// <summary>What stands at the head of a ranking.</summary>
public enum HeadOrder
{
    /// <summary>The largest effect in size, whatever its sign: what changed the measure most.</summary>
    Magnitude,

    /// <summary>The highest effect: what raised the measure most.</summary>
    Highest,
}
