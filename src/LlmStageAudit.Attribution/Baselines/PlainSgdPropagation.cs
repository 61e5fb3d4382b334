using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Observed;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Baselines;

/// <summary>
/// The published estimators that take every run for plain SGD, without momentum, moments or decay:
/// <code>
/// d_t = (I - lr_t C_t) d_{t-1} - [step t left out] lr_t g_t
/// dvemb    C_t = (1 / W) sum_i grad loss_i grad loss_i^T over the batch     (Wang et al., ICLR 2025)
/// tracin   C_t = 0                                                          (Pruthi et al., NeurIPS 2020)
/// </code>
/// A curvature of null stands for 0. d is observed less counterfactual. TracIn's gradient of the probe is taken at the final parameters.
/// </summary>
internal sealed class PlainSgdPropagation(ITrajectory trajectory, CurvatureProduct? curvature)
{
    /// <summary>d_T of each question: [N], in the current dispose scope.</summary>
    public Tensor[] Run(IReadOnlyList<Counterfactual> questions, IProgress<(int Step, int Total)>? progress, CancellationToken cancellation)
    {
        var first = questions.Min(question => question.FirstStage);
        var total = trajectory.Programs.Skip(first).Sum(program => program.Steps.Count);
        var (done, name) = (0, curvature is null ? "tracin" : "dvemb");
        var changes = new Tensor?[questions.Count];
        try
        {
            foreach (var step in ObservedStage.Forwards(trajectory, first, trajectory.Programs.Count, name))
            {
                cancellation.ThrowIfCancellationRequested();
                Advance(step, questions, changes);
                progress?.Report((++done, total));
            }

            return [.. changes.Select(change => change!.clone())];
        }
        finally
        {
            foreach (var change in changes) change?.Dispose();
        }
    }

    private void Advance(ObservedStep step, IReadOnlyList<Counterfactual> questions, Tensor?[] changes)
    {
        using var scope = NewDisposeScope();
        var moved = Enumerable.Range(0, changes.Length).Where(i => curvature is not null && changes[i] is not null).ToArray();
        var products = moved.Length == 0 ? [] : curvature!.Products(step, [.. moved.Select(i => changes[i]!)]);
        using var off = no_grad();
        for (var i = 0; i < changes.Length; i++)
        {
            var next = changes[i];
            if (Array.IndexOf(moved, i) is >= 0 and var at) next = next!.plus(products[at], -step.Step.LearningRate);
            if (questions[i].SkipsStep(step.StageIndex, step.Step.StageStep))
            {
                var own = step.Gradient.times(-step.Step.LearningRate);
                next = next is null ? own : next.plus(own);
            }

            if (next is null || ReferenceEquals(next, changes[i])) continue;
            if (!next.AllFinite()) throw AttributionException.SweepNotFinite(step.Program.Name, step.Step.StageStep);
            changes[i]?.Dispose();
            changes[i] = scope.Detach(next);
        }
    }
}
