using LlmStageAudit.Attribution.Observed;
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
        var probes = probeGradients.Select(gradient => new SweptProbe(trajectory, gradient, ofBlocks)).ToArray();
        try
        {
            for (var stage = trajectory.Programs.Count - 1; stage >= 0; stage--)
            {
                using var observed = new ObservedStage(trajectory, stage, "adjoint");
                foreach (var probe in probes) probe.EnterStage(stage);
                var interval = CheckpointInterval ?? DefaultInterval(observed.Program.Steps.Count);
                foreach (var step in observed.Backwards(interval))
                {
                    cancellation.ThrowIfCancellationRequested();
                    // Adjoints wait in a table for a whole interval, and can be put only when none does.
                    var flushes = (step.Step.StageStep - 1) % interval == 0;
                    if (done >= walk.Done)
                    {
                        StepBack(probes, step, ofExamples);
                        if (flushes) foreach (var probe in probes) probe.Flush(stage);
                    }

                    walk.Passed(++done, total, flushes || !ofBlocks ? Save : null, state => Restore(state, step));
                    progress?.Report((done, total));
                }
            }

            return [.. probes.Select(probe => probe.Result())];
        }
        finally
        {
            foreach (var probe in probes) probe.Dispose();
        }

        void Save(WalkState state)
        {
            state.Put("gradients", [_curvature.GradientEquivalents]);
            foreach (var (i, probe) in probes.Index()) probe.Save(state, i);
        }

        void Restore(WalkState state, ObservedStep step)
        {
            _curvature.Resume(state.Number("gradients"));
            foreach (var (i, probe) in probes.Index()) probe.Restore(state, i, step);
        }
    }

    private void StepBack(SweptProbe[] probes, ObservedStep step, bool ofExamples)
    {
        using var scope = NewDisposeScope();
        using var change = step.Change();
        var propagator = step.Propagator(estimator.EpsilonFloor);
        var pulled = probes.Select(probe => propagator.Adjoint(probe.Adjoint)).ToArray();
        Tensor[] gradients = [.. pulled.Select(pair => pair.Gradient)];
        var (products, shares) = ofExamples ? _curvature.ProductsWithShares(step, gradients) : (_curvature.Products(step, gradients), []);
        using var off = no_grad();
        foreach (var (i, probe) in probes.Index())
        {
            var score = new StepScore(
                step.StageIndex, step.Step.StageStep, probe.Adjoint.Dot(change),
                gradients[i].dot(step.Gradient).ToNumber(), ofExamples ? shares[i] : null);
            if (!products[i].AllFinite() || !double.IsFinite(score.Effect))
                throw AttributionException.SweepNotFinite(step.Program.Name, step.Step.StageStep);
            var before = pulled[i].Before;
            var adjoint = new StatePerturbation(before.Theta.plus(products[i]), before.Buffers, before.Steps);
            probe.Passed(step, score, adjoint.DetachFrom(scope));
        }
    }

    /// <summary>One probe's adjoint on its way back, and what it has met.</summary>
    private sealed class SweptProbe(ITrajectory trajectory, Tensor gradient, bool ofBlocks) : IDisposable
    {
        private readonly List<StepScore> _scores = [];
        private readonly BlockTableBuilder? _table = ofBlocks ? new BlockTableBuilder(trajectory) : null;
        private double[] _stageEffects = new double[trajectory.Programs.Count];
        private StatePerturbation? _adjoint;

        public StatePerturbation Adjoint => _adjoint!;

        /// <summary>Comes to a stage's end with lambda's theta block; a job's buffers end with it, so theirs are 0.</summary>
        public void EnterStage(int stage)
        {
            using var scope = NewDisposeScope();
            Replace(trajectory.Programs[stage].Optimizer.Perturbation(_adjoint?.Theta ?? gradient).DetachFrom(scope));
            using var off = no_grad();
            // The block score of the whole stage: theta moved from its start to its end.
            _stageEffects[stage] = Adjoint.Theta.dot(trajectory.StateBefore(stage + 1) - trajectory.StateBefore(stage)).ToNumber();
        }

        /// <summary>Goes back over a step, which leads to lambda_{t-1}.</summary>
        public void Passed(ObservedStep step, StepScore score, StatePerturbation adjoint)
        {
            _table?.Add(step, Adjoint);
            _scores.Add(score);
            Replace(adjoint);
        }

        public void Flush(int stage) => _table?.Flush(stage);

        public SweepResult Result() => new([.. Enumerable.Reverse(_scores)], _stageEffects, _table?.Build());

        public void Save(WalkState state, int probe)
        {
            state.Put($"adjoint-{probe}", Adjoint);
            state.Put($"stages-{probe}", _stageEffects);
            StepScores.Put(state, $"scores-{probe}", _scores);
            _table?.Save(state, $"blocks-{probe}");
        }

        public void Restore(WalkState state, int probe, ObservedStep step)
        {
            Replace(state.Perturbation($"adjoint-{probe}", step.Before));
            _stageEffects = state.Numbers($"stages-{probe}", _stageEffects.Length);
            _scores.AddRange(StepScores.Take(state, $"scores-{probe}"));
            _table?.Restore(state, $"blocks-{probe}");
        }

        public void Dispose()
        {
            _adjoint?.Dispose();
            _table?.Dispose();
        }

        private void Replace(StatePerturbation adjoint)
        {
            _adjoint?.Dispose();
            _adjoint = adjoint;
        }
    }
}
