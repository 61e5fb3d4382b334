using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Runs;

/// <summary>A run folder that is not one, is in use, or is not empty where a new one should be.</summary>
public sealed class RunFolderException : InvalidInputException
{
    private RunFolderException(string where, string found, string expected, string? remedy = null, Exception? inner = null)
        : base(Sentence(where, found, expected, remedy), inner)
    {
    }

    internal static RunFolderException NotEmpty(string path, bool isRun) => new(
        path, isRun ? "a run is there already" : "not empty", "a new or empty folder",
        isRun ? $"go on with it by {Setting.Resuming}, or give another {Setting.Output}" : $"give another {Setting.Output}");

    internal static RunFolderException IsAFile(string path) =>
        new(path, "a file", "a new or empty folder", $"give another {Setting.Output}");

    internal static RunFolderException Missing(string path) =>
        new(path, "no such folder", "a run folder", "check the path, or train first");

    internal static RunFolderException NotARun(string path, string manifestName) =>
        new(path, $"no {manifestName}", "a run folder", "check the path, or train first");

    internal static RunFolderException Unusable(string path, Exception inner) =>
        new(path, $"cannot be used ({inner.Message})", "a folder that can be written", null, inner);

    internal static RunFolderException NotItsOwn(string path, string found, string remedy) =>
        new(path, found, "a run folder that holds all of its files, written by its owner and group alone", remedy);

    internal static RunFolderException NoFileName(string name) =>
        new("the run folder", $"'{name}' cannot be part of a file name", ConfigurationName.Expected);

    internal static RunFolderException InUse(string path, string holder) =>
        new(path, $"in use by {holder}", "a run that nothing else writes", "wait for it to end, or stop it");
}
