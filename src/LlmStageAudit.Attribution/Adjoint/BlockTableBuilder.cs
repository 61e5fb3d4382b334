using LlmStageAudit.Attribution.Observed;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>
/// Collects the adjoints of a few consecutive steps at a time and pairs them with every state before: K^2 / 2 numbers from
/// rebuilt states, with sqrt(K) adjoints in memory. States enter less the run's first parameters, which drops out of every block and keeps
/// the differences from drowning.
/// </summary>
internal sealed class BlockTableBuilder : IDisposable
{
    private readonly ITrajectory _trajectory;
    private readonly int[] _firstSteps;
    private readonly double[][] _before;
    private readonly double[] _after;
    private readonly Tensor _origin;
    private readonly List<(int Step, Tensor[] Blocks)> _pending = [];

    public BlockTableBuilder(ITrajectory trajectory)
    {
        _trajectory = trajectory;
        _firstSteps = [.. trajectory.Programs.Select((_, stage) => trajectory.Programs.Take(stage).Sum(program => program.Steps.Count))];
        var total = trajectory.Programs.Sum(program => program.Steps.Count);
        _before = [.. Enumerable.Range(1, total).Select(step => new double[step])];
        _after = new double[total];
        using var scope = NewDisposeScope();
        _origin = scope.Detach(trajectory.StateBefore(0));
    }

    /// <summary>Takes lambda_t of an observed step.</summary>
    public void Add(ObservedStep observed, StatePerturbation adjoint)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var step = Place(observed);
        Tensor[] blocks = [adjoint.Theta, .. adjoint.Buffers, TensorMemory.Of(new[] { adjoint.Steps })];
        _after[step] = Parts(observed.After).Zip(blocks, (part, block) => part.dot(block.to(part.dtype)).ToNumber()).Sum();
        _pending.Add((step, [.. blocks.Select(block => scope.Detach(block.clone()))]));
    }

    /// <summary>Pairs what was collected, all of one stage, with the states before.</summary>
    public void Flush(int stageIndex)
    {
        if (_pending.Count == 0) return;
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var stacked = Enumerable.Range(0, _pending[0].Blocks.Length)
            .Select(part => stack([.. _pending.Select(pending => pending.Blocks[part])])).ToArray();
        foreach (var observed in ObservedStage.Forwards(_trajectory, 0, stageIndex + 1, "adjoint"))
        {
            var first = Place(observed);
            if (_pending.All(pending => pending.Step < first)) break;
            using var inner = NewDisposeScope();
            // A fresh optimizer has no buffers of an earlier job.
            var parts = Parts(observed.Before).Take(observed.StageIndex == stageIndex ? stacked.Length : 1);
            var products = parts.Zip(stacked, (part, rows) => rows.mv(part.to(rows.dtype)).to(float64).ToArray<double>()).ToArray();
            for (var i = 0; i < _pending.Count; i++)
            {
                if (_pending[i].Step >= first) _before[_pending[i].Step][first] = products.Sum(product => product[i]);
            }
        }

        Release();
    }

    public BlockTable Build() => new(_before, _after);

    /// <summary>Puts what is paired so far; nothing may wait.</summary>
    public void Save(WalkState state, string name)
    {
        if (_pending.Count > 0) throw new InvalidOperationException($"{_pending.Count} adjoints wait to be paired");
        state.Put(name + ".after", [.. _after]);
        state.Put(name + ".before", [.. _before.SelectMany(row => row)]);
    }

    public void Restore(WalkState state, string name)
    {
        state.Numbers(name + ".after", _after.Length).CopyTo(_after, 0);
        var all = state.Numbers(name + ".before", _before.Sum(row => row.Length));
        var from = 0;
        foreach (var row in _before)
        {
            all.AsSpan(from, row.Length).CopyTo(row);
            from += row.Length;
        }
    }

    public void Dispose()
    {
        Release();
        _origin.Dispose();
    }

    /// <summary>From 0, within the run.</summary>
    private int Place(ObservedStep observed) => _firstSteps[observed.StageIndex] + observed.Step.StageStep - 1;

    private Tensor[] Parts(OptimizerState state) =>
        [state.Theta - _origin, .. state.Buffers, TensorMemory.Of(new[] { (double)state.Steps })];

    private void Release()
    {
        foreach (var block in _pending.SelectMany(pending => pending.Blocks)) block.Dispose();
        _pending.Clear();
    }
}
