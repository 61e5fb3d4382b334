using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Runs;

/// <summary>
/// What attribution needs of a run: the programs of its stages, the trainable state before each, and the logged gradients.
/// Nothing in it says what is being trained.
/// </summary>
public interface ITrajectory
{
    /// <summary>What each stage ran, in order.</summary>
    IReadOnlyList<StageProgram> Programs { get; }

    /// <summary>The trainable state [N] before a stage, in the current dispose scope; index = stage count gives the final state.</summary>
    Tensor StateBefore(int stageIndex);

    /// <summary>The logged gradients of a stage; the caller disposes them.</summary>
    IStageGradients OpenGradients(int stageIndex);
}

/// <summary>The raw gradients g_t a stage was trained with.</summary>
public interface IStageGradients : IDisposable
{
    /// <summary>False where the run was trained without logging gradients.</summary>
    bool HasGradients { get; }

    /// <summary>g_t [N], in the current dispose scope.</summary>
    Tensor Gradient(ProgramStep step);
}
