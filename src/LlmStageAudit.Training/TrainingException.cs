using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Training;

/// <summary>Training that cannot go on, or a run that no longer matches its inputs.</summary>
public sealed class TrainingException : AuditException
{
    private TrainingException(ErrorKind kind, string message)
        : base(message) => Kind = kind;

    /// <inheritdoc/>
    public override ErrorKind Kind { get; }

    /// <summary>A loss or gradient of a step is no finite number.</summary>
    /// <param name="stage">Its name.</param>
    /// <param name="step">1-based within the stage.</param>
    /// <param name="what">What is not finite.</param>
    /// <param name="found">Its value.</param>
    public static TrainingException NotFinite(string stage, int step, string what, double found) =>
        new(ErrorKind.Failure, Sentence(
            $"stage '{stage}', step {step}",
            $"the {what} is {found}",
            "a finite number",
            "lower the learning rate, clip the gradient (optimizer.clipNorm) or check the weights"));

    internal static TrainingException InputChanged(string path, string found, string expected) =>
        new(ErrorKind.Input, Sentence(
            path,
            $"SHA-256 {found}",
            $"{expected}, recorded when the run was trained",
            "restore the file: the run cannot be replayed without it"));

    internal static TrainingException InputMissing(string path) =>
        new(ErrorKind.Input, Sentence(
            path,
            "the file is gone",
            "the file the run was trained with",
            "restore it: the run cannot be replayed without it"));

    internal static TrainingException OtherConfiguration(string run) =>
        new(ErrorKind.Request, Sentence(
            run,
            "the run was started with another configuration",
            "the same one",
            $"resume with the configuration it was started with, or choose another {Setting.Output}"));

    internal static TrainingException OtherBatches(string where, int step) =>
        new(ErrorKind.Input, Sentence(
            where,
            $"step {step} was logged with other examples than the configuration selects",
            "the same",
            "restore the data the run was trained with"));

    /// <summary>A stage's log holds no gradients.</summary>
    public static TrainingException NoGradients(string stage) =>
        new(ErrorKind.Input, Sentence(
            $"stage '{stage}'",
            "its log holds no gradients (trajectory.gradients: false)",
            "logged gradients",
            $"use {Setting.GradientSource} exact, or train with trajectory.gradients: true"));

    /// <summary>A run that is to be read was not trained to its end.</summary>
    /// <param name="run">Its folder.</param>
    /// <param name="state">What it is instead.</param>
    public static TrainingException NotCompleted(string run, string state) =>
        new(ErrorKind.Input, Sentence(
            run, $"the run is {state}", "a completed run", $"finish it with {Setting.ResumedTraining}"));

    /// <summary>No stage of a run has the name asked for.</summary>
    /// <param name="run">Its folder.</param>
    /// <param name="stage">The name asked for.</param>
    /// <param name="suggestion">A name that is there.</param>
    public static TrainingException UnknownStage(string run, string stage, string suggestion) =>
        new(ErrorKind.Request, Sentence(run, $"no stage '{stage}'", null, suggestion));

    /// <summary>A run was stopped at a valid checkpoint.</summary>
    /// <param name="run">Its folder.</param>
    /// <param name="stage">Where it stopped.</param>
    /// <param name="step">The last step made, 1-based within the stage.</param>
    public static TrainingException Stopped(string run, string stage, int step) =>
        new(ErrorKind.Stopped, Sentence(
            run,
            $"stopped on a signal after step {step} of stage '{stage}'; nothing is lost",
            null,
            $"run the same command again to go on (train: with {Setting.Resuming})"));

    internal static TrainingException DiskFull(string run, string? stage, StorageException inner) =>
        new(ErrorKind.Stopped, Sentence(
            run,
            $"stopped {(stage is null ? "" : $"in stage '{stage}' ")}"
                + $"because the disk is full ({inner.InnerException?.Message ?? inner.Message}); "
                + "all completed stages and every whole record of the log are kept",
            null,
            $"free some space, then run the same command again to go on (train: with {Setting.Resuming})"));
}
