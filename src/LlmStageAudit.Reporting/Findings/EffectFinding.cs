using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>One estimate of all stages (or steps, or examples) on one probe.</summary>
/// <param name="Artifact">The file.</param>
/// <param name="Stages">From the most raising to the most lowering; what could not be computed last.</param>
internal sealed record EffectFinding(EffectsArtifact Artifact, IReadOnlyList<StageFinding> Stages)
{
    /// <summary>The largest finding, of those whose interval excludes zero before others; null where none was computed.</summary>
    public StageFinding? Top => Stages.Where(stage => stage.Size >= 0).MaxBy(stage => (stage.IsDistinguishable, stage.Size));

    /// <summary>The largest finding of the other sign whose interval, where it has one, excludes zero.</summary>
    public StageFinding? Opposite => Top is not { } top
        ? null
        : Stages.Where(stage => stage.IsDistinguishable || !stage.HasInterval)
            .Where(stage => Math.Sign(top.Estimate) * stage.Estimate < 0)
            .MaxBy(stage => stage.Size);

    /// <summary>What one row is: stage, step, batch or example.</summary>
    public string Noun => Artifact.Treatment.Level;

    /// <summary><see cref="Noun"/>, to head a column.</summary>
    public string Heading => char.ToUpperInvariant(Noun[0]) + Noun[1..];

    public string Plural => Noun == "batch" ? "batches" : Noun + "s";

    /// <summary>"1 batch", "110 batches".</summary>
    public string Counted(int count) => $"{NumberText.Count(count)} {(count == 1 ? Noun : Plural)}";
}
