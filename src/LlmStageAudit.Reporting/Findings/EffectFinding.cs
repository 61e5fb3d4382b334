using LlmStageAudit.Artifacts.Effects;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>One estimate of all stages (or steps, or examples) on one probe.</summary>
/// <param name="Stages">From the most raising to the most lowering; what could not be computed last.</param>
internal sealed record EffectFinding(EffectsArtifact Artifact, IReadOnlyList<StageFinding> Stages)
{
    /// <summary>
    /// The finding to answer with: of those whose interval excludes zero the largest, else the largest of all; null where there is none.
    /// </summary>
    public StageFinding? Top =>
        Stages.Where(stage => stage.Size >= 0).OrderByDescending(stage => stage.IsDistinguishable).ThenByDescending(stage => stage.Size)
            .FirstOrDefault();

    /// <summary>The largest finding of the other sign whose interval excludes zero.</summary>
    public StageFinding? Opposite => Top is not { } top
        ? null
        : Stages.Where(stage => stage.IsDistinguishable && Math.Sign(stage.Effect.Estimate) == -Math.Sign(top.Effect.Estimate))
            .MaxBy(stage => stage.Size);

    /// <summary>What one row is: stage, step or example.</summary>
    public string Noun => Artifact.Level is "step" or "example" ? Artifact.Level : "stage";

    /// <summary>The largest rows, no more than asked for, in the order of <see cref="Stages"/>.</summary>
    public IReadOnlyList<StageFinding> Largest(int count)
    {
        if (Stages.Count <= count) return Stages;
        var kept = Stages.OrderByDescending(stage => stage.Size).Take(count).ToHashSet(ReferenceEqualityComparer.Instance);
        return Stages.Where(kept.Contains).ToArray();
    }
}
