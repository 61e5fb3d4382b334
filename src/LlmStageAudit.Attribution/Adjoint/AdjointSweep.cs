using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>
/// One walk over the log from the last step to the first, with the transposed propagator P_t^T of every step:
/// <code>
/// lambda_T = (grad gamma(theta_T), 0, ...),    lambda_{t-1} = P_t^T lambda_t,    buffers 0 at the start of a job
/// effect of step t    = lambda_t . (s_t - s_{t-1})
/// effect of its batch = q_t . g_t,    of example i: q_t . grad loss_i / W    (q_t: lambda_t drawn back to the gradient)
/// </code>
/// It costs one Hessian-vector product per step and probe, whatever is asked about: all steps, batches, examples and blocks come
/// out of it. Several probes share the states, the loss and its gradient. Source: [AA] estimator 4.2 and appendix B; for
/// examples, Ilyas and Engstrom 2025 (MAGIC).
/// </summary>
/// <param name="trajectory">The run.</param>
/// <param name="estimator">The settings; a sweep goes through the full curvature.</param>
/// <param name="seed">Of the curvature's shares of batches.</param>
public sealed class AdjointSweep(ITrajectory trajectory, Estimator.Adjoint estimator, long seed)
{
    private readonly CurvatureProduct _curvature = CurvatureProduct.Full(estimator.Settings.Rho ?? 1, seed);

    /// <summary>Cost so far in full-batch gradients.</summary>
    public double GradientEquivalents => _curvature.GradientEquivalents;

    /// <summary>Keeps how far the sweep came.</summary>
    public WalkJournal Journal { get; init; } = WalkJournal.None;

    /// <summary>Steps between kept states; null for the <see cref="DefaultInterval"/> of each stage.</summary>
    public int? CheckpointInterval { get; init; }

    /// <summary>The square root of a stage's steps, rounded up: the steps between kept states where nothing else is asked for.</summary>
    public static int DefaultInterval(int steps) => Math.Max(1, (int)Math.Ceiling(Math.Sqrt(steps)));

    /// <summary>Sweeps once for all probes.</summary>
    /// <param name="probeGradients">grad gamma(theta_T) of each probe, [N] each.</param>
    /// <param name="ofExamples">Also score every example of every batch.</param>
    /// <param name="ofBlocks">Also score every set of consecutive steps.</param>
    /// <param name="progress">Gets steps walked and steps in all; the walk begins at the last step.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="AttributionException">
    /// No logged gradients; the log does not lead to the saved states; a product is not finite.
    /// </exception>
    public SweepResult[] Run(
        IReadOnlyList<Tensor> probeGradients,
        bool ofExamples,
        bool ofBlocks,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        var total = trajectory.Programs.Sum(program => program.Steps.Count);
        var done = 0;
        var walk = Journal.Begin($"sweep of {probeGradients.Count}{(ofExamples ? ", examples" : "")}{(ofBlocks ? ", blocks" : "")}");
        var scores = probeGradients.Select(_ => new List<StepScore>(total)).ToArray();
        var stageEffects = probeGradients.Select(_ => new double[trajectory.Programs.Count]).ToArray();
        var tables = probeGradients.Select(_ => ofBlocks ? new BlockTableBuilder(trajectory) : null).ToArray();
        var thetas = probeGradients.Select(Held).ToArray();
        try
        {
            for (var stage = trajectory.Programs.Count - 1; stage >= 0; stage--)
            {
                using var observed = new ObservedStage(trajectory, stage, "adjoint");
                using var lap = new Lap(trajectory, stage, thetas);
                for (var probe = 0; probe < thetas.Length; probe++) stageEffects[probe][stage] = lap.StageEffect(probe);
                var interval = CheckpointInterval ?? DefaultInterval(observed.Program.Steps.Count);
                foreach (var step in observed.Backwards(interval))
                {
                    cancellation.ThrowIfCancellationRequested();
                    // Adjoints wait in a table for a whole interval, and can be put only when none does.
                    var flushes = (step.Step.StageStep - 1) % interval == 0;
                    if (done >= walk.Done)
                    {
                        for (var probe = 0; probe < thetas.Length; probe++) tables[probe]?.Add(step, lap.Adjoints[probe]);
                        var found = lap.StepBack(step, _curvature, estimator.EpsilonFloor, ofExamples);
                        for (var probe = 0; probe < thetas.Length; probe++) scores[probe].Add(found[probe]);
                        if (flushes) Flush(stage);
                    }

                    walk.Passed(++done, total, flushes || !ofBlocks ? state => Save(state, lap) : null, state => Restore(state, lap, step));
                    progress?.Report((done, total));
                }

                var before = lap.End();
                foreach (var theta in thetas) theta.Dispose();
                thetas = before;
            }

            return [.. scores.Select((steps, probe) =>
            {
                steps.Reverse();
                return new SweepResult(steps, stageEffects[probe], tables[probe]?.Build());
            })];
        }
        finally
        {
            foreach (var theta in thetas) theta.Dispose();
            foreach (var table in tables) table?.Dispose();
        }

        void Flush(int stage)
        {
            foreach (var table in tables) table?.Flush(stage);
        }

        void Save(WalkState state, Lap lap)
        {
            state.Put("gradients", [_curvature.GradientEquivalents]);
            for (var probe = 0; probe < thetas.Length; probe++)
            {
                state.Put($"adjoint-{probe}", lap.Adjoints[probe]);
                state.Put($"stages-{probe}", stageEffects[probe]);
                StepScores.Put(state, $"scores-{probe}", scores[probe]);
                tables[probe]?.Save(state, $"blocks-{probe}");
            }
        }

        void Restore(WalkState state, Lap lap, ObservedStep step)
        {
            _curvature.Resume(state.Number("gradients"));
            for (var probe = 0; probe < thetas.Length; probe++)
            {
                lap.Restore(probe, state.Perturbation($"adjoint-{probe}", step.Before));
                stageEffects[probe] = state.Numbers($"stages-{probe}", stageEffects[probe].Length);
                scores[probe].AddRange(StepScores.Take(state, $"scores-{probe}"));
                tables[probe]?.Restore(state, $"blocks-{probe}");
            }
        }
    }

    private static Tensor Held(Tensor value)
    {
        using var scope = NewDisposeScope();
        return scope.Detach(value.clone());
    }

    /// <summary>The adjoints of all probes on their way back through one stage.</summary>
    private sealed class Lap : IDisposable
    {
        private readonly ITrajectory _trajectory;
        private readonly int _stage;
        private readonly StatePerturbation[] _adjoints;

        /// <summary>Begins at the stage's end, with lambda's theta block there; a job's buffers end with it, so theirs are 0.</summary>
        public Lap(ITrajectory trajectory, int stage, Tensor[] thetas)
        {
            (_trajectory, _stage) = (trajectory, stage);
            using var scope = NewDisposeScope();
            _adjoints = [.. thetas.Select(theta => trajectory.Programs[stage].Optimizer.Perturbation(theta).DetachFrom(scope))];
        }

        public IReadOnlyList<StatePerturbation> Adjoints => _adjoints;

        /// <summary>The block score of the whole stage: theta moved from its start to its end.</summary>
        public double StageEffect(int probe)
        {
            using var scope = NewDisposeScope();
            using var off = no_grad();
            return _adjoints[probe].Theta.dot(_trajectory.StateBefore(_stage + 1) - _trajectory.StateBefore(_stage)).ToNumber();
        }

        public StepScore[] StepBack(ObservedStep step, CurvatureProduct curvature, double epsilonFloor, bool ofExamples)
        {
            using var scope = NewDisposeScope();
            using var change = step.Change();
            var propagator = step.Propagator(epsilonFloor);
            var pulled = _adjoints.Select(propagator.Adjoint).ToArray();
            Tensor[] gradients = [.. pulled.Select(pair => pair.Gradient)];
            var (products, shares) = ofExamples ? curvature.ProductsWithShares(step, gradients) : (curvature.Products(step, gradients), []);
            using var off = no_grad();
            var scores = new StepScore[_adjoints.Length];
            for (var probe = 0; probe < scores.Length; probe++)
            {
                scores[probe] = new StepScore(
                    _stage, step.Step.StageStep, _adjoints[probe].Dot(change),
                    gradients[probe].dot(step.Gradient).ToNumber(), ofExamples ? shares[probe] : null);
                if (!products[probe].AllFinite() || !double.IsFinite(scores[probe].Effect))
                    throw AttributionException.SweepNotFinite(step.Program.Name, step.Step.StageStep);
                var before = pulled[probe].Before;
                _adjoints[probe].Dispose();
                _adjoints[probe] = new StatePerturbation(before.Theta.plus(products[probe]), before.Buffers, before.Steps).DetachFrom(scope);
            }

            return scores;
        }

        public void Restore(int probe, StatePerturbation adjoint)
        {
            _adjoints[probe].Dispose();
            _adjoints[probe] = adjoint;
        }

        /// <summary>lambda's theta block before the stage, copied.</summary>
        public Tensor[] End() => [.. _adjoints.Select(adjoint => Held(adjoint.Theta))];

        public void Dispose()
        {
            foreach (var adjoint in _adjoints) adjoint.Dispose();
        }
    }
}
