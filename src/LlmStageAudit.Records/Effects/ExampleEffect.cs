namespace LlmStageAudit.Records.Effects;

/// <summary>A stage's estimated effect on one probe row: observed minus counterfactual.</summary>
public sealed record ExampleEffect
{
    public required string Id { get; init; }

    public required double Estimate { get; init; }
}
