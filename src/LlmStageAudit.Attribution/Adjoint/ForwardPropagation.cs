using LlmStageAudit.Attribution.Observed;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>
/// Carries d_t = s_t - s'_t, to first order, from the steps left out to the end of the run:
/// <code>
/// step left out:   d_t = d_{t-1} + (s_t - s_{t-1})         (together)    P_t d_{t-1} + (s_t - s_{t-1})    (each alone)
/// any other step:  d_t = P_t d_{t-1}                       job boundary: buffers 0
/// </code>
/// Together: while steps are left out, d = s - s' grows by each update and nothing is propagated, since the counterfactual stands still;
/// the block form, [AA] appendix B, eq. 24. Each alone: every update goes through all later steps, left out or not, and the effects are
/// added up; [AA] estimator 4.3.
/// The other direction of <see cref="AdjointSweep"/>, by the same propagator: it costs a Hessian-vector product per later step and
/// question, and gives the change of all parameters, hence the effect on every probe example.
/// </summary>
internal sealed class ForwardPropagation(ITrajectory trajectory, CurvatureProduct curvature, double epsilonFloor)
{
    /// <summary>Sees every step a perturbation is carried through.</summary>
    public SpotCheck? SpotCheck { get; init; }

    /// <summary>Keeps how far the walk came.</summary>
    public WalkJournal Journal { get; init; } = WalkJournal.None;

    /// <summary>d_T of each question: the theta block [N], in the current dispose scope.</summary>
    public Tensor[] Run(
        IReadOnlyList<Counterfactual> questions,
        bool eachAlone,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        var first = questions.Min(question => question.FirstStage);
        var total = trajectory.Programs.Skip(first).Sum(program => program.Steps.Count);
        var done = 0;
        var names = string.Join("; ", questions.Select(question => question.Name));
        var walk = Journal.Begin($"{curvature.Name} {(eachAlone ? "EachAlone" : "Together")}: {names}");
        var changes = new StatePerturbation?[questions.Count];
        try
        {
            foreach (var step in ObservedStage.Forwards(trajectory, first, trajectory.Programs.Count, "forward propagation"))
            {
                cancellation.ThrowIfCancellationRequested();
                if (step.Step.StageStep == 1) StartJob(step, changes);
                if (done >= walk.Done) Advance(step, questions, eachAlone, changes);
                walk.Passed(++done, total, state => Save(state, changes), state => Restore(state, step, changes));
                progress?.Report((done, total));
            }

            return [.. changes.Select(change => change!.Theta.clone())];
        }
        finally
        {
            foreach (var change in changes) change?.Dispose();
        }
    }

    /// <summary>A job starts with a fresh optimizer, in the run and in the counterfactual alike.</summary>
    private static void StartJob(ObservedStep step, StatePerturbation?[] changes)
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < changes.Length; i++)
        {
            if (changes[i] is { } change) Replace(changes, i, step.Program.Optimizer.Perturbation(change.Theta), scope);
        }
    }

    private void Advance(ObservedStep step, IReadOnlyList<Counterfactual> questions, bool eachAlone, StatePerturbation?[] changes)
    {
        using var scope = NewDisposeScope();
        var without = questions.Select(question => question.SkipsStep(step.StageIndex, step.Step.StageStep)).ToArray();
        var moved = Enumerable.Range(0, changes.Length)
            .Where(i => changes[i] is not null && (!without[i] || eachAlone)).ToArray();
        if (moved.Length > 0)
        {
            var propagator = step.Propagator(epsilonFloor);
            var products = curvature.Products(step, [.. moved.Select(i => changes[i]!.Theta)]);
            for (var j = 0; j < moved.Length; j++)
            {
                if (!products[j].AllFinite()) throw AttributionException.SweepNotFinite(step.Program.Name, step.Step.StageStep);
                var before = changes[moved[j]]!;
                var after = propagator.Forward(before, products[j]);
                SpotCheck?.Propagated(moved[j], step, before, products[j], after);
                Replace(changes, moved[j], after, scope);
            }
        }

        if (!without.Contains(true)) return;
        var own = step.Change();
        for (var i = 0; i < changes.Length; i++)
        {
            if (without[i]) Replace(changes, i, changes[i] is { } so ? so.Plus(own) : own.Clone(), scope);
        }
    }

    private void Save(WalkState state, StatePerturbation?[] changes)
    {
        state.Put("gradients", [curvature.GradientEquivalents]);
        foreach (var (i, change) in changes.Index())
        {
            if (change is not null) state.Put(Name(i), change);
        }

        SpotCheck?.Save(state);
    }

    private void Restore(WalkState state, ObservedStep step, StatePerturbation?[] changes)
    {
        curvature.Resume(state.Number("gradients"));
        for (var i = 0; i < changes.Length; i++)
        {
            if (state.Has(WalkState.Theta(Name(i)))) changes[i] = state.Perturbation(Name(i), step.After);
        }

        SpotCheck?.Restore(state, step.After.Theta);
    }

    private static string Name(int i) => $"change-{i}";

    private static void Replace(StatePerturbation?[] changes, int i, StatePerturbation next, DisposeScope scope)
    {
        changes[i]?.Dispose();
        changes[i] = next.DetachFrom(scope);
    }
}
