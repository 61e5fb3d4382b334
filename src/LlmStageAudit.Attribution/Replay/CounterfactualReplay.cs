using LlmStageAudit.Attribution.Observed;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Replay;

/// <summary>
/// Walks the recorded trajectory once and carries every counterfactual along:
/// <code>s'_t = F_t(s'_{t-1}, g'_t, lr_t)</code>
/// with the real optimizer map F (clipping, schedule and fresh buffers at stage starts included) and the counterfactual
/// gradient g' of a <see cref="CounterfactualGradients"/>. Steps a counterfactual leaves out do not change its state.
/// </summary>
public sealed class CounterfactualReplay(ITrajectory trajectory, CounterfactualGradients source)
{
    private readonly ITrajectory _trajectory = trajectory;
    private readonly CounterfactualGradients _source = source;

    /// <summary>
    /// Whether counterfactuals go through the objective together, the frozen base's products made for all of them at once, where
    /// it offers that. The results then differ by rounding from those of one counterfactual at a time. Null: where that pays by
    /// the objective's own judgement, but not on the CPU with a source that promises the bits of retraining.
    /// </summary>
    public bool? ShareBase { get; init; }

    /// <summary>The most counterfactuals in one forward pass; bounds its memory. At least 1.</summary>
    public int VariantsPerPass
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "at least 1 expected");
    } = 8;

    /// <summary>Sees every move by an estimated gradient.</summary>
    internal SpotCheck? SpotCheck { get; init; }

    /// <summary>Keeps how far the walk came.</summary>
    public WalkJournal Journal { get; init; } = WalkJournal.None;

    /// <summary>The final trainable state [N] of each counterfactual, in the current dispose scope.</summary>
    /// <param name="counterfactuals">Any number, replayed together.</param>
    /// <param name="progress">Gets steps walked and steps in all.</param>
    /// <param name="cancellation">Checked between steps.</param>
    public Tensor[] Run(
        IReadOnlyList<Counterfactual> counterfactuals, IProgress<(int Step, int Total)>? progress, CancellationToken cancellation)
    {
        var first = counterfactuals.Min(counterfactual => counterfactual.FirstStage);
        var total = _trajectory.Programs.Skip(first).Sum(program => program.Steps.Count);
        var done = 0;
        var walk = Journal.Begin(
            $"replay {_source.Name}: {string.Join("; ", counterfactuals.Select(counterfactual => counterfactual.Name))}");
        // The parameters of each counterfactual between stages; null as long as it is still the observed run.
        var thetas = new Tensor?[counterfactuals.Count];
        try
        {
            for (var stage = first; stage < _trajectory.Programs.Count; stage++)
            {
                using var scope = NewDisposeScope();
                using var lap = new StageLap(this, stage, counterfactuals, thetas);
                foreach (var step in _trajectory.Programs[stage].Steps)
                {
                    cancellation.ThrowIfCancellationRequested();
                    lap.Advance(step, follow: done < walk.Done);
                    walk.Passed(++done, total, lap.Save, lap.Restore);
                    progress?.Report((done, total));
                }

                foreach (var (i, end) in lap.End().Index())
                {
                    thetas[i]?.Dispose();
                    thetas[i] = end is null ? null : scope.Detach(end);
                }
            }

            return [.. thetas.Select(theta => theta?.clone() ?? _trajectory.StateBefore(_trajectory.Programs.Count))];
        }
        finally
        {
            foreach (var theta in thetas) theta?.Dispose();
        }
    }

    /// <summary>How many counterfactuals share the passes of a step.</summary>
    private int Together(ReplayStep step)
    {
        if (ShareBase == false || step.Program.Objective is not IVariantObjective { SharesBase: true } objective) return 1;
        if (ShareBase == true) return VariantsPerPass;
        if (_source.RepeatsRetraining && objective.Device.type == DeviceType.CPU) return 1;
        return Math.Min(
            VariantsPerPass, objective.VariantsThatPay(_source.Examples(step), step.Program.MicroBatchSize, _source.Derivative));
    }

    /// <summary>One stage: the observed state where it is needed, and the state of every counterfactual that has left it.</summary>
    private sealed class StageLap : IDisposable
    {
        private readonly CounterfactualReplay _replay;
        private readonly int _stage;
        private readonly IReadOnlyList<Counterfactual> _counterfactuals;
        private readonly OptimizerState?[] _states;
        private readonly IStageGradients _log;
        private OptimizerState? _observed;

        public StageLap(CounterfactualReplay replay, int stage, IReadOnlyList<Counterfactual> counterfactuals, Tensor?[] starts)
        {
            (_replay, _stage, _counterfactuals) = (replay, stage, counterfactuals);
            var program = replay._trajectory.Programs[stage];
            var before = replay._trajectory.StateBefore(stage);
            _states = [.. counterfactuals.Select((counterfactual, i) => starts[i] switch
            {
                { } theta => program.Optimizer.Start(theta),
                null => counterfactual.SkipsStage(stage) ? program.Optimizer.Start(before) : null,
            })];
            _log = replay._trajectory.OpenGradients(stage);
            // Counterfactuals that still follow the observed run leave it inside this stage, or later.
            var leavesInside = counterfactuals.Where((counterfactual, i) => _states[i] is null && counterfactual.FirstStage == stage).Any();
            var movesHere = counterfactuals.Where((counterfactual, i) => _states[i] is not null && !counterfactual.SkipsStage(stage)).Any();
            if (leavesInside || (replay._source.NeedsObserved && movesHere)) _observed = program.Optimizer.Start(before);
            if (_observed is not null && !_log.HasGradients) throw AttributionException.NoGradients(program.Name, replay._source.Name);
        }

        /// <summary>Makes one step; only of the observed run where the counterfactuals' states after it are known.</summary>
        public void Advance(Training.Stages.ProgramStep step, bool follow)
        {
            using var scope = NewDisposeScope();
            var program = _replay._trajectory.Programs[_stage];
            var shared = new ReplayStep(program, step, _observed?.Theta, _log, scope);
            var moving = new List<int>();
            for (var i = 0; i < _states.Length; i++)
            {
                if (_counterfactuals[i].SkipsStep(_stage, step.StageStep)) _states[i] ??= _observed!.Clone();
                else if (_states[i] is not null) moving.Add(i);
            }

            if (moving.Count > 0 && !follow)
            {
                foreach (var together in moving.Chunk(moving.Count == 1 ? 1 : _replay.Together(shared))) Move(shared, together);
            }

            if (_observed is null) return;
            var next = program.Optimizer.Advance(_observed, shared.LoggedGradient, step.LearningRate);
            _observed.Dispose();
            _observed = next;
        }

        /// <summary>Advances the states of counterfactuals by their own gradients.</summary>
        private void Move(ReplayStep shared, int[] together)
        {
            using var inner = NewDisposeScope();
            var (program, step, source) = (shared.Program, shared.Step, _replay._source);
            var gradients = source.Gradients(shared, [.. together.Select(i => _states[i]!.Theta)]);
            foreach (var (place, i) in together.Index())
            {
                var state = _states[i]!;
                if (!gradients[place].AllFinite())
                    throw AttributionException.NotFinite(_counterfactuals[i].Name, program.Name, step.StageStep, source.Name);
                var next = program.Optimizer.Advance(state, gradients[place], step.LearningRate);
                _states[i] = next;
                _replay.SpotCheck?.Moved(i, shared, state, gradients[place]);
                state.Dispose();
            }
        }

        public void Save(WalkState state)
        {
            state.Put("gradients", [_replay._source.GradientEquivalents]);
            foreach (var (i, own) in _states.Index())
            {
                if (own is not null) state.Put($"state-{i}", own);
            }

            _replay.SpotCheck?.Save(state);
        }

        public void Restore(WalkState state)
        {
            _replay._source.Resume(state.Number("gradients"));
            for (var i = 0; i < _states.Length; i++)
            {
                if (_states[i] is not { } followed) continue;
                _states[i] = state.State($"state-{i}", followed);
                followed.Dispose();
            }

            using var scope = NewDisposeScope();
            _replay.SpotCheck?.Restore(state, _replay._trajectory.StateBefore(_stage));
        }

        /// <summary>The parameters each counterfactual leaves the stage with; null: still the observed run.</summary>
        public Tensor?[] End()
        {
            if (_observed is not null) ObservedStage.CheckEnd(_replay._trajectory, _stage, _observed.Theta);
            return [.. _states.Select(state => state?.Theta.clone())];
        }

        public void Dispose()
        {
            foreach (var state in _states) state?.Dispose();
            _observed?.Dispose();
            _log.Dispose();
        }
    }
}
