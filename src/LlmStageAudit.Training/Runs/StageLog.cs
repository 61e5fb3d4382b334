using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Runs;

/// <summary>The logged steps of one stage beside the program that made them.</summary>
public sealed class StageLog : IStageGradients
{
    private readonly StageProgram _program;
    private readonly TrajectoryReader _reader;
    private readonly string _path;
    private byte[] _bytes = [];

    private StageLog(StageProgram program, TrajectoryReader reader, string path) => (_program, _reader, _path) = (program, reader, path);

    /// <inheritdoc/>
    public bool HasGradients => _reader.GradientBytes > 0;

    /// <summary>The logged steps, from the first; fewer than the program's where training broke off.</summary>
    public IReadOnlyList<StepRecord> Steps => _reader.Steps;

    /// <summary>What the log's hash chain begins with.</summary>
    public static string Genesis(string runId, string stage) => TrajectoryGenesis.Of(runId, stage);

    /// <summary>Opens a stage's log and holds it against the program.</summary>
    /// <param name="folder">The run's.</param>
    /// <param name="runId">The run's, with which the hash chain begins.</param>
    /// <param name="index">The stage's place.</param>
    /// <param name="program">What it ran.</param>
    /// <param name="exampleIds">By example number.</param>
    /// <exception cref="TrajectoryException">The log is damaged or belongs elsewhere.</exception>
    /// <exception cref="TrainingException">It was written with other batches than the program's.</exception>
    public static StageLog Open(RunFolder folder, string runId, int index, StageProgram program, IReadOnlyList<string> exampleIds)
    {
        var path = folder.TrajectoryPath(index, program.Name);
        var log = new StageLog(program, TrajectoryReader.Open(path, Genesis(runId, program.Name)), path);
        try
        {
            foreach (var (record, step) in log.Steps.Zip(program.Steps))
            {
                var same = record.StageStep == step.StageStep && record.BatchIds.SequenceEqual(step.Batch.Select(i => exampleIds[i]));
                if (!same) throw TrainingException.OtherBatches(path, record.StageStep);
            }

            return log;
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>The raw gradient g_t [N] of a step, in the current dispose scope.</summary>
    public Tensor Gradient(ProgramStep step)
    {
        if (!HasGradients) throw TrainingException.NoGradients(_program.Name);
        if (_bytes.Length != _reader.GradientBytes) _bytes = new byte[_reader.GradientBytes];
        _reader.ReadGradient(step.StageStep - 1, _bytes);
        return GradientCodec.Decode(_bytes, _program.Objective.Dtype, _program.Objective.Device);
    }

    /// <summary>Rebuilds the state after a number of steps by running the optimizer map over the logged gradients.</summary>
    /// <param name="start">The state after the first steps of the stage; disposed here.</param>
    /// <param name="from">How many steps it has made.</param>
    /// <param name="to">How many the result has made.</param>
    public OptimizerState Replay(OptimizerState start, int from, int to)
    {
        var state = start;
        foreach (var step in _program.Steps.Take(to).Skip(from))
        {
            using var scope = NewDisposeScope();
            var next = _program.Optimizer.Advance(state, Gradient(step), step.LearningRate);
            state.Dispose();
            state = next;
        }

        return state;
    }

    /// <summary>The path of the log.</summary>
    public override string ToString() => _path;

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();
}
