using System.Globalization;
using LlmStageAudit.Attribution;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>What is asked of an attribution.</summary>
public sealed record AttributionRequest
{
    /// <summary>Values of <see cref="Level"/>, from coarse to fine.</summary>
    internal static IReadOnlyList<string> Levels { get; } = ["stage", "step", "batch", "example"];

    /// <summary>Each is another adjoint in memory and another half of a gradient more per step.</summary>
    private const int MaximumFolds = 20;

    /// <summary>How effects are estimated; exact replay unless told otherwise.</summary>
    public Estimator Estimator { get; init; } = new();

    /// <summary>
    /// stage: one effect per stage (or set of steps). step: per step. batch: per step, of the batch's gradient alone, the update's
    /// momentum and decay going on. example: per training example of each stage, over all batches it was in.
    /// </summary>
    public string Level { get; init; } = "stage";

    /// <summary>stage: a job that never ran. steps: updates skipped inside a job.</summary>
    public string Treatment { get; init; } = "stage";

    /// <summary>
    /// For treatment steps: the sets of steps to skip, numbered within the run, such as "3,10-12"; empty: each stage's steps.
    /// </summary>
    public IReadOnlyList<string> Steps { get; init; } = [];

    /// <summary>Names of the questions to answer, of those the request stands for; null for all.</summary>
    internal IReadOnlyList<string>? Only { get; init; }

    /// <summary>For sweeps: parts of the probe that are swept beside each other, to give scores an interval; 1 for none.</summary>
    public int Folds { get; init; } = 1;

    /// <summary>Whether estimated gradients are held against true ones at a few steps; without that nothing bounds their error.</summary>
    public bool SpotChecks { get; init; } = true;

    /// <summary>Where to save the counterfactual states as PEFT folders; null for nowhere.</summary>
    public string? ExportFolder { get; init; }

    /// <summary>Keeps how far the attribution came.</summary>
    public WalkJournal Journal { get; init; } = WalkJournal.None;

    /// <summary>The treatment as results state it: whatever is smaller than a stage is skipped inside its job.</summary>
    internal string EffectiveTreatment => Level == "stage" ? Treatment : "steps";

    /// <summary>The name results are filed under, after the probe's.</summary>
    public string Id => $"{Estimator.Id}.{(Level == "stage" ? Treatment : Level)}";

    /// <summary>Whether one backward sweep answers: the adjoint, asked about steps, batches or examples.</summary>
    internal bool IsSweep => Estimator.Method == Estimator.Adjoint && Level != "stage";

    /// <summary>The request itself, once its options are known to go together.</summary>
    /// <exception cref="AttributionException">Options that do not go together.</exception>
    public AttributionRequest Validated()
    {
        Estimator.Validated();
        if (!Levels.Contains(Level)) throw AttributionException.BadOption(Setting.Level, Level, string.Join(", ", Levels));
        if (Treatment is not ("stage" or "steps")) throw AttributionException.BadOption(Setting.Treatment, Treatment, "stage or steps");
        if (Level is "batch" or "example" && Estimator.Method != Estimator.Adjoint)
            throw AttributionException.BadOption(
                Setting.Level, Level, $"{Setting.Method} adjoint beside it: one sweep scores every batch and example");
        if (IsSweep && Estimator.Curvature != "full")
            throw AttributionException.BadOption(Setting.Curvature, Estimator.Curvature, "full below the level of stages");
        if (Folds is < 1 or > MaximumFolds || (Folds > 1 && !IsSweep))
        {
            throw AttributionException.BadOption(
                Setting.Folds, Folds.ToString(CultureInfo.InvariantCulture),
                $"1 to {MaximumFolds}, with {Setting.Method} adjoint and {Setting.Level} step, batch or example");
        }

        if (!IsSweep || Level == "example") Estimator.RequireLinearReadout();
        if (Steps.Count > 0 && (Treatment != "steps" || Level != "stage"))
            throw AttributionException.BadOption(Setting.Steps, string.Join(' ', Steps), $"to be used with {Setting.Treatment} steps");
        return this;
    }

    /// <summary>The questions, where each is answered by itself.</summary>
    /// <exception cref="AttributionException">Options that do not go together, or steps the run does not have.</exception>
    public IReadOnlyList<Counterfactual> Counterfactuals(ITrajectory trajectory)
    {
        Validated();
        var all = All(trajectory);
        return Only is null ? all : [.. all.Where(counterfactual => Only.Contains(counterfactual.Name))];
    }

    private IReadOnlyList<Counterfactual> All(ITrajectory trajectory)
    {
        var programs = trajectory.Programs;
        if (Level == "step")
        {
            return [.. programs.SelectMany((program, stage) => program.Steps.Select(step =>
                StepSet.Parse(
                    (StepSet.FirstStep(programs, stage) + step.StageStep - 1).ToString(CultureInfo.InvariantCulture), programs)))];
        }

        if (Steps.Count > 0) return [.. Steps.Select(steps => StepSet.Parse(steps, programs))];
        return Treatment == "stage"
            ? [.. programs.Select((program, stage) => Counterfactual.WithoutStage(program.Name, stage))]
            : [.. programs.Select((program, stage) =>
                Counterfactual.WithoutSteps(program.Name, stage, program.Steps.Select(step => step.StageStep)))];
    }
}
