using System.Diagnostics;
using System.Globalization;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Attribution;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>What is asked of an attribution.</summary>
public sealed record AttributionRequest
{
    /// <summary>Each is another adjoint in memory and another half of a gradient more per step.</summary>
    private const int MaximumFolds = 20;

    /// <summary>How effects are estimated; exact replay unless told otherwise, such as by <see cref="EstimatorOf"/>.</summary>
    public Estimator Estimator { get; init; } = Estimator.Exact;

    /// <summary>What is left out, an effect each; each stage unless told otherwise.</summary>
    public Treatment Treatment { get; init; } = new Treatment.Stage();

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

    /// <summary>
    /// What estimates where nobody says: of stages and sets of steps exact replay, which costs no more than estimates that are off; of
    /// single steps, batches and examples the adjoint, whose one sweep scores them all.
    /// </summary>
    public static Estimator EstimatorOf(Treatment treatment) => treatment is Treatment.Stage or Treatment.Steps
        ? Estimator.Exact
        : Estimator.Of("adjoint", new EstimatorSettings());

    /// <summary>The name results are filed under, after the probe's.</summary>
    public string Id => $"{Estimator}.{TreatmentId}";

    internal string TreatmentId => Treatment.ToString().Replace(' ', '-').Replace(',', '_');

    /// <summary>The estimator, where one backward sweep answers: the adjoint, asked about steps, batches or examples.</summary>
    internal Estimator.Adjoint? Sweep => Treatment is Treatment.Stage or Treatment.Steps ? null : Estimator as Estimator.Adjoint;

    /// <summary>The request itself, once its settings are known to go together.</summary>
    /// <exception cref="ConfigurationException">Settings that do not go together.</exception>
    public AttributionRequest Validated()
    {
        if (Estimator is Estimator.Replay { Source: { IsResearch: true } research })
        {
            throw ConfigurationException.Bad(
                Setting.GradientSource, research.Name,
                $"{string.Join(", ", GradientSource.Practical)}: {research.Name} costs more than exact and is further off, and "
                    + "only compare holds it against retraining");
        }

        if (Treatment is Treatment.EachBatch or Treatment.EachExample && Sweep is null)
        {
            throw ConfigurationException.Bad(
                Setting.Level, Treatment.Level, $"{Setting.Method} adjoint beside it: one sweep scores every batch and example");
        }

        if (Sweep is { Curvature: not Curvature.Full and var curvature })
            throw ConfigurationException.Bad(Setting.Curvature, $"{curvature}", "full below the level of stages");
        if (Folds is < 1 or > MaximumFolds || (Folds > 1 && Sweep is null))
        {
            throw ConfigurationException.Bad(
                Setting.Folds, Folds.ToString(CultureInfo.InvariantCulture),
                $"1 to {MaximumFolds}, with {Setting.Method} adjoint and {Setting.Level} step, batch or example");
        }

        if (Sweep is null || Treatment is Treatment.EachExample) RequireLinearReadout(Estimator);
        return this;
    }

    /// <summary>Refuses a readout that acts on sweeps only.</summary>
    /// <exception cref="ConfigurationException">Another readout than the linear one.</exception>
    internal static void RequireLinearReadout(Estimator estimator)
    {
        if (estimator is not Estimator.Adjoint { Readout: not Readout.Linear and var readout }) return;
        throw ConfigurationException.Bad(
            Setting.Readout, EnumSpelling<Readout>.Of(readout),
            $"linear, except with {Setting.Method} adjoint and {Setting.Level} step or batch");
    }

    /// <summary>The questions, where each is answered by itself.</summary>
    /// <exception cref="ConfigurationException">Settings that do not go together.</exception>
    /// <exception cref="AttributionException">Steps that the run does not have.</exception>
    public IReadOnlyList<Counterfactual> Counterfactuals(ITrajectory trajectory)
    {
        Validated();
        var programs = trajectory.Programs;
        Counterfactual[] all = Treatment switch
        {
            Treatment.Stage => [.. programs.Select((program, stage) => Counterfactual.WithoutStage(program.Name, stage))],
            Treatment.Steps { Sets: { Count: > 0 } sets } => [.. sets.Select(steps => StepSet.Parse(steps, programs))],
            Treatment.Steps => [.. programs.Select((program, stage) =>
                Counterfactual.WithoutSteps(program.Name, stage, program.Steps.Select(step => step.StageStep)))],
            Treatment.EachStep or Treatment.EachBatch or Treatment.EachExample =>
                [.. Enumerable.Range(1, programs.Sum(program => program.Steps.Count))
                    .Select(step => StepSet.Parse(step.ToString(CultureInfo.InvariantCulture), programs))],
            _ => throw new UnreachableException(),
        };
        return Only is null ? all : [.. all.Where(counterfactual => Only.Contains(counterfactual.Name))];
    }
}
