using System.Buffers;
using System.Runtime.InteropServices;
using LlmStageAudit.Modeling.Examples;
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
    private byte[] _bytes = [];

    private StageLog(StageProgram program, TrajectoryReader reader) => (_program, _reader) = (program, reader);

    /// <inheritdoc/>
    public bool HasGradients => _reader.GradientBytes > 0;

    /// <summary>The logged steps, from the first; fewer than the program's where training broke off.</summary>
    public IReadOnlyList<StepRecord> Steps => _reader.Steps;

    /// <summary>A step as the log holds it.</summary>
    /// <param name="step">The step.</param>
    /// <param name="firstStep">The number in the run of its stage's first.</param>
    /// <param name="lossNats">Mean batch loss before the update.</param>
    /// <param name="gradientNorm">Length of the raw gradient.</param>
    /// <param name="examples">Of the stage.</param>
    internal static StepRecord Record(ProgramStep step, int firstStep, double lossNats, double gradientNorm, ExampleSet examples) => new()
    {
        Step = firstStep + step.StageStep - 1,
        StageStep = step.StageStep,
        Epoch = step.Epoch,
        LearningRate = step.LearningRate,
        LossNats = lossNats,
        GradientNorm = gradientNorm,
        BatchIds = Ids(step, examples),
    };

    /// <summary>A gradient as the log holds it: float32, little-endian.</summary>
    /// <returns>A rented array and how many of its bytes are used.</returns>
    internal static (byte[] Bytes, int Length) Encode(Tensor gradient)
    {
        using var single = gradient.to(float32);
        var length = checked((int)(single.numel() * sizeof(float)));
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        single.CopyTo(MemoryMarshal.Cast<byte, float>(bytes.AsSpan(0, length)));
        return (bytes, length);
    }

    /// <summary>Opens a stage's log and holds it against the program.</summary>
    /// <exception cref="TrajectoryException">The log is damaged or belongs elsewhere.</exception>
    /// <exception cref="TrainingException">It was written with other batches than the program's.</exception>
    internal static StageLog Open(RunFolder folder, string runId, RunMaterials materials, int index)
    {
        var (program, examples) = (materials.Programs[index], materials.ExampleSets[index]);
        var path = folder.TrajectoryPath(index, program.Name);
        var log = new StageLog(program, TrajectoryReader.Open(path, TrajectoryGenesis.Of(runId, program.Name)));
        try
        {
            foreach (var (record, step) in log.Steps.Zip(program.Steps))
            {
                var same = record.StageStep == step.StageStep && record.BatchIds.SequenceEqual(Ids(step, examples));
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
        var values = MemoryMarshal.Cast<byte, float>(_bytes);
        return TensorMemory.Of(values, [values.Length]).to(_program.Objective.Dtype).to(_program.Objective.Device);
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

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private static string[] Ids(ProgramStep step, ExampleSet examples) => [.. step.Batch.Select(i => examples.Examples[i].Id)];
}
