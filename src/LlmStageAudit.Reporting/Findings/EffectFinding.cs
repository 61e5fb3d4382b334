using LlmStageAudit.Records.Effects;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>One estimate of all stages (or steps, or examples) on one probe.</summary>
/// <param name="Artifact">The file.</param>
/// <param name="Stages">From the most raising to the most lowering; what could not be computed last.</param>
internal sealed record EffectFinding(EffectsArtifact Artifact, IReadOnlyList<StageFinding> Stages)
{
    /// <summary>The finding to answer with: of those whose interval excludes zero the largest, else of all; null where there is none.</summary>
    public StageFinding? Top =>
        Stages.Where(stage => stage.Size >= 0).MaxBy(stage => (stage.IsDistinguishable, stage.Size));

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

    /// <summary>Whether the rows are steps of the run that can be drawn over it.</summary>
    public bool IsOfSteps => Noun is "step" or "batch" && Stages.Count > 0 && Stages.All(stage => stage.Effect.FirstStep is not null);

    /// <summary>Whether the rows are training examples by their ids.</summary>
    public bool IsOfExamples => Noun == "example" && Stages.Count > 0 && Stages.All(stage => stage.Effect.Example is not null);

    /// <summary>"1 batch", "110 batches".</summary>
    public string Counted(int count) => $"{NumberText.Count(count)} {(count == 1 ? Noun : Plural)}";

    /// <summary>The largest rows, no more than asked for, in the order of <see cref="Stages"/>.</summary>
    public IReadOnlyList<StageFinding> Largest(int count) =>
        [.. Stages.Index().OrderByDescending(row => row.Item.Size).Take(count).OrderBy(row => row.Index).Select(row => row.Item)];
}
