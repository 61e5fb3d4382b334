using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Verifications;

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

/// <summary>A stage's (or step's, or example's) estimate beside what retraining said about it.</summary>
internal sealed record StageFinding(StageEffect Effect, Standing Standing)
{
    public double Estimate => Effect.Estimate;

    /// <summary>For orders in which what could not be computed comes last.</summary>
    public double Size => double.IsFinite(Estimate) ? Math.Abs(Estimate) : -1;

    /// <summary>Of a step or batch: its number in the run.</summary>
    public int Step => Effect.FirstStep ?? 0;

    /// <summary>What was left out: a stage, steps, or an example and the stage it was in.</summary>
    public string Label => Effect.Example is { } example ? $"example {example} of {Effect.Stage}" : Effect.Stage;

    public string Look => Estimate < 0 ? "lowered" : "raised";

    public string Direction => Estimate switch
    {
        > 0 => "▲ raised",
        < 0 => "▼ lowered",
        0 => "no change",
        _ => "× not computable",
    };

    public bool HasInterval => Effect.Low is not null || Effect.High is not null;

    /// <summary>Whether the interval lies on one side of zero.</summary>
    public bool ExcludesZero => double.IsFinite(Estimate) && (Effect.Low > 0 || Effect.High < 0);

    /// <summary>The same, where the test of the effect does not say that it may be luck.</summary>
    public bool IsDistinguishable => ExcludesZero && Effect.Significant is null or Significance.Yes;

    /// <summary>The grade that stands, spelled as files do.</summary>
    public string Trust => EnumSpelling<TrustGrade>.Of(Standing.Trust);

    /// <summary>The effect that retraining measured; null where the stage was not retrained.</summary>
    public double? Measured => Standing.Retrained?.Measured;

    public BarFill Fill => Standing.Trust switch
    {
        TrustGrade.Exact or TrustGrade.Verified => BarFill.Solid,
        TrustGrade.High or TrustGrade.Medium => BarFill.Hatched,
        _ => BarFill.Hollow,
    };

    /// <summary>The grade in a few words, to stand beside a bar.</summary>
    public string Grade => Standing.Trust switch
    {
        TrustGrade.Exact or TrustGrade.Verified => Trust,
        _ => $"{Trust} trust" + (Standing.Retrained is null ? "" : ", retrained"),
    };

    /// <summary>What it was verified with, or why it has its grade.</summary>
    public string? Reason => Standing.VerifiedWith is { } with
        ? $"{with.Estimator} of this run, treatment {with.Treatment}, held against retraining on {with.Metric} over "
            + $"{NumberText.Count(with.Examples, "probe row")}: {NumberText.Share(with.RelativeError)} off"
        : Effect.Evidence?.Reason;
}

/// <summary>
/// How a bar's inside says whether its effect is to be relied on, whatever its colour. Solid: exact, or verified. Hatched: estimated with
/// high or medium trust. Hollow, an outline in dashes: of low trust, or not known.
/// </summary>
internal enum BarFill
{
    Solid,
    Hatched,
    Hollow,
}

/// <summary>What a bar of that fill says, for legends.</summary>
internal static class BarFillText
{
    public static string InWords(this BarFill fill) => fill switch
    {
        BarFill.Solid => "exact or verified",
        BarFill.Hollow => "low or unknown",
        _ => "high or medium",
    };
}

/// <summary>The steps of one stage, numbered through the run, both ends included.</summary>
internal sealed record StageBand(string Stage, int FirstStep, int LastStep)
{
    public bool Holds(int step) => step >= FirstStep && step <= LastStep;
}
