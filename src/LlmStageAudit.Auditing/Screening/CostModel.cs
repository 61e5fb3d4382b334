using System.Diagnostics;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Auditing.Screening;

/// <summary>
/// What it would cost to answer questions about a run, in gradients of one batch, before anything is computed. A training of K steps costs
/// K and is the unit of budgets (1x). Runs of the probe are not counted: they do not grow with the run.
/// </summary>
internal sealed class CostModel(IReadOnlyList<StageProgram> programs)
{
    /// <summary>One training of the run: K.</summary>
    public double Training { get; } = programs.Sum(program => program.Steps.Count);

    /// <summary>Exact replay of one question: the steps after its first left-out one that it still runs.</summary>
    public double Exact(Counterfactual question) => Moving([question]).Sum(step => step.Count);

    /// <summary>Exact replay of questions; together they cost what they cost alone.</summary>
    public double Exact(IEnumerable<Counterfactual> questions) => questions.Sum(Exact);

    /// <summary>One adjoint sweep over the whole run, with a share rho of each batch, for measures swept together.</summary>
    public double Sweep(int probes, double rho) =>
        programs.Sum(program => program.Steps.Sum(step => GradientCost.VectorProducts(probes) * Share(step, rho)));

    /// <summary>Replay of questions together, from a gradient source.</summary>
    public double Replay(GradientSource source, IReadOnlyList<Counterfactual> questions) => source switch
    {
        GradientSource.Recorded => 0,
        GradientSource.Sampled { Rho: var rho } => Moving(questions).Sum(step => Sampled(Share(step.Step, rho), step.Count)),
        GradientSource.Exact => Exact(questions),
        _ => throw new UnreachableException(),
    };

    /// <summary>A screen: the sweep, or a replay of all questions.</summary>
    public double Screen(Estimator screen, IReadOnlyList<Counterfactual> questions) =>
        screen is Estimator.Replay { Source: var source } ? Replay(source, questions) : Sweep(1, screen.Settings.Rho ?? 1);

    /// <summary>Cost in trainings.</summary>
    public double Trainings(double gradients) => Training == 0 ? 0 : gradients / Training;

    /// <summary>What a batch's share costs; at least one example is drawn.</summary>
    private static double Share(ProgramStep step, double rho) => (double)BatchShare.Size(step.Batch.Length, rho) / step.Batch.Length;

    /// <summary>The counterfactuals' gradients and, as their control, the observed run's; the whole batch needs no control.</summary>
    private static double Sampled(double share, int counterfactuals) => share * (share < 1 ? counterfactuals + 1 : counterfactuals);

    /// <summary>Each step that some question runs after it left the observed run, with the number of those questions.</summary>
    private IEnumerable<(ProgramStep Step, int Count)> Moving(IReadOnlyList<Counterfactual> questions)
    {
        var left = new bool[questions.Count];
        for (var stage = 0; stage < programs.Count; stage++)
        {
            foreach (var step in programs[stage].Steps)
            {
                var moving = 0;
                for (var i = 0; i < questions.Count; i++)
                {
                    if (questions[i].SkipsStep(stage, step.StageStep)) left[i] = true;
                    else if (left[i]) moving++;
                }

                if (moving > 0) yield return (step, moving);
            }
        }
    }
}
