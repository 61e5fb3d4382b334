namespace LlmStageAudit.Cli.Demo;

/// <summary>How many texts of each kind <see cref="DemoFiles"/> writes.</summary>
internal sealed record DemoSizes
{
    public int PretrainingTexts { get; init; } = 4000;

    public int CommentsPerStage { get; init; } = 600;

    public int ProbeComments { get; init; } = 600;
}
