using System.Globalization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Training;

/// <summary>Training that cannot go on or that this machine cannot hold, or a run that no longer matches its inputs.</summary>
public sealed class TrainingException : AuditException
{
    private TrainingException(ErrorKind kind, string where, string found, string? expected, string remedy)
        : base(Sentence(where, found, expected, remedy)) => Kind = kind;

    /// <inheritdoc/>
    public override ErrorKind Kind { get; }

    /// <summary>A loss or gradient of a step is no finite number.</summary>
    /// <param name="stage">Its name.</param>
    /// <param name="step">1-based within the stage.</param>
    /// <param name="what">What is not finite.</param>
    /// <param name="found">Its value.</param>
    public static TrainingException NotFinite(string stage, int step, string what, double found) => new(
        ErrorKind.Failure, $"stage '{stage}', step {step}", $"the {what} is {found}", "a finite number",
        "lower the learning rate, clip the gradient (optimizer.clipNorm) or check the weights");

    internal static TrainingException InputChanged(string path, string found, string expected) => new(
        ErrorKind.Input, path, $"SHA-256 {found}", $"{expected}, recorded when the run was trained",
        "restore the file: the run cannot be replayed without it");

    internal static TrainingException InputMissing(string path) => new(
        ErrorKind.Input, path, "the file is gone", "the file the run was trained with",
        "restore it: the run cannot be replayed without it");

    internal static TrainingException OtherConfiguration(string run) => new(
        ErrorKind.Request, run, "the run was started with another configuration", "the same one",
        $"resume with the configuration it was started with, or choose another {Setting.Output}");

    internal static TrainingException OtherBatches(string where, int step) => new(
        ErrorKind.Input, where, $"step {step} was logged with other examples than the configuration selects", "the same",
        "restore the data the run was trained with");

    /// <summary>A stage's log holds no gradients.</summary>
    public static TrainingException NoGradients(string stage) => new(
        ErrorKind.Input, $"stage '{stage}'", "its log holds no gradients (trajectory.gradients: false)", "logged gradients",
        $"use {Setting.GradientSource} exact, or train with trajectory.gradients: true");

    /// <summary>A run that is to be read was not trained to its end.</summary>
    /// <param name="run">Its folder.</param>
    /// <param name="found">What it is instead.</param>
    public static TrainingException NotCompleted(string run, RunState found)
    {
        var state = EnumSpelling<RunState>.Of(found);
        return new(ErrorKind.Input, run, $"the run is {state}", "a completed run", $"finish it with {Setting.ResumedTraining}");
    }

    /// <summary>No stage of a run has the name asked for.</summary>
    /// <param name="run">Its folder.</param>
    /// <param name="stage">The name asked for.</param>
    /// <param name="names">Those that are there.</param>
    public static TrainingException UnknownStage(string run, string stage, string[] names) =>
        new(ErrorKind.Request, run, $"no stage '{stage}'", null, Suggestion.For(stage, names));

    internal static TrainingException Stopped(string run, string stage, int step) => new(
        ErrorKind.Stopped, run, $"stopped on a signal after step {step} of stage '{stage}'; nothing is lost", null,
        $"run the same command again to go on (train: with {Setting.Resuming})");

    internal static TrainingException DiskFull(string run, string? stage, StorageException inner) => new(
        ErrorKind.Stopped,
        run,
        $"stopped {(stage is null ? "" : $"in stage '{stage}' ")}"
            + $"because the disk is full ({inner.InnerException?.Message ?? inner.Message}); "
            + "all completed stages and every whole record of the log are kept",
        null,
        $"free some space, then run the same command again to go on (train: with {Setting.Resuming})");

    internal static TrainingException TooLittleDisk(string where, string what, long neededBytes, long gradientBytes, long freeBytes)
    {
        var without = gradientBytes > neededBytes / 2
            ? $", leave gradients out of the log ({Shown(neededBytes - gradientBytes)} then): {Setting.Override} trajectory.gradients=false"
            : "";
        return new TrainingException(
            ErrorKind.Request, where, $"{what} will write {Shown(neededBytes)}; {Shown(freeBytes)} are free there", "room for all of it",
            $"make room, choose another place{without}; or start nevertheless by {Setting.ForcedStart}");
    }

    internal static TrainingException TooLittleMemory(string where, string what, long neededBytes, long availableBytes) => new(
        ErrorKind.Request,
        where,
        $"{what} takes at least {Shown(neededBytes)} of memory; {Shown(availableBytes)} are available",
        "as much as the weights and the optimizer's state alone need",
        "free memory, train an adapter instead of all weights, or set model.dtype=bfloat16; "
            + $"or start nevertheless by {Setting.ForcedStart}");

    private static string Shown(long bytes)
    {
        var (unit, name) = bytes < 1 << 20 ? (1024.0, "KiB") : bytes < 1 << 30 ? (1048576.0, "MiB") : (1073741824.0, "GiB");
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / unit:0.0} {name}");
    }
}
