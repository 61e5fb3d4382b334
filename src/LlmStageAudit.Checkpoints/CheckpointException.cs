using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints;

/// <summary>A foreign file that cannot be used: a model or an adapter, weights, a tokenizer or rows, or a part of one.</summary>
public sealed class CheckpointException : InvalidInputException
{
    private CheckpointException(string message, Exception? inner)
        : base(message, inner)
    {
    }

    internal static CheckpointException At(
        string where, string found, string? expected = null, string? remedy = null, Exception? inner = null) =>
        new(Sentence(where, found, expected, remedy), inner);

    internal static CheckpointException AtTensor(
        string file, string name, string found, string? expected = null, string? remedy = null) =>
        At($"{file}: tensor {MessageText.Quote(name)}", found, expected, remedy);

    internal static CheckpointException TargetExists(string path) =>
        At(path, "exists already", "a folder that does not exist yet", "name another folder or remove this one");

    /// <summary>Weights lie there only as a pickle, which is never opened because a pickle can run code.</summary>
    internal static CheckpointException PickledWeights(string folder, string pickle, string expected, string script) =>
        At(folder, $"holds its weights only as {Path.GetFileName(pickle)}, a pickle that is not opened because it can run code", expected,
            $"convert it once: python -c \"{script}\"");

    /// <summary>Settings that change the arithmetic and are not implemented, all of them at once.</summary>
    internal static CheckpointException Unsupported(string path, IReadOnlyList<string> settings, string? expected, string remedy) =>
        At(path, $"unsupported {(settings.Count == 1 ? "setting" : "settings")}: {string.Join("; ", settings)}", expected, remedy);

    /// <summary>Refuses what is no folder. A pickle in its place is never opened.</summary>
    internal static void ThrowIfNoFolder(string path, string expected)
    {
        if (File.Exists(path) && PickleSignature.IsName(path))
        {
            throw At(path, "is a pickle, or an archive of one, that is not opened because loading one can run code", expected,
                PickleSignature.Remedy);
        }

        if (!Directory.Exists(path)) throw At(path, "no such folder", expected);
    }
}
