using System.Globalization;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Effects;

/// <summary>What is asked of an attribution by replay.</summary>
public sealed record AttributionRequest
{
    public const string ReplayMethod = "replay";

    /// <summary>One of <see cref="GradientSource.Names"/>.</summary>
    public string Gradient { get; init; } = "exact";

    /// <summary>The share of each batch the source `sampled` looks at.</summary>
    public double Rho { get; init; } = 0.25;

    /// <summary>stage: one effect per stage. step: one per step.</summary>
    public string Level { get; init; } = "stage";

    /// <summary>stage: a job that never ran. steps: updates skipped inside a job.</summary>
    public string Treatment { get; init; } = "stage";

    /// <summary>For treatment steps: the sets of steps to skip, numbered within the run, such as "3,10-12"; empty: each stage's steps.</summary>
    public IReadOnlyList<string> Steps { get; init; } = [];

    /// <summary>Where to save the counterfactual states as PEFT folders; null for nowhere.</summary>
    public string? ExportFolder { get; init; }

    /// <summary>The name results are filed under, after the probe's.</summary>
    public string Id => string.Create(
        CultureInfo.InvariantCulture,
        $"{ReplayMethod}-{Gradient}{(Gradient == "sampled" ? $"-{Rho}" : "")}.{(Level == "step" ? "step" : Treatment)}");

    /// <exception cref="AttributionException">Options that do not go together, or steps the run does not have.</exception>
    public IReadOnlyList<Counterfactual> Counterfactuals(ITrajectory trajectory)
    {
        if (Level is not ("stage" or "step")) throw AttributionException.BadOption("--level", Level, "stage or step");
        if (Treatment is not ("stage" or "steps")) throw AttributionException.BadOption("--treatment", Treatment, "stage or steps");
        if (Steps.Count > 0 && (Treatment != "steps" || Level != "stage"))
            throw AttributionException.BadOption("--steps", string.Join(' ', Steps), "to be used with --treatment steps");

        var programs = trajectory.Programs;
        if (Level == "step")
        {
            return [.. programs.SelectMany((program, stage) => program.Steps.Select(step =>
                StepSet.Parse((StepSet.FirstStep(programs, stage) + step.StageStep - 1).ToString(CultureInfo.InvariantCulture), programs)))];
        }

        if (Steps.Count > 0) return [.. Steps.Select(steps => StepSet.Parse(steps, programs))];
        return Treatment == "stage"
            ? [.. programs.Select((program, stage) => Counterfactual.WithoutStage(program.Name, stage))]
            : [.. programs.Select((program, stage) => Counterfactual.WithoutSteps(program.Name, stage, program.Steps.Select(step => step.StageStep)))];
    }
}
