using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>The tensor engine cannot be loaded, or was asked for something that has no answer.</summary>
public sealed class EngineException : AuditException
{
    private EngineException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public override ErrorKind Kind => ErrorKind.Failure;

    internal static EngineException NoLibrary(string file, string remedy) => new(Sentence(file, "no such library", null, remedy));

    internal static EngineException NoFolder(string folder, string remedy) =>
        new(Sentence(folder, File.Exists(folder) ? "a file" : "no such folder", "the folder with libtorch_cpu.so", remedy));

    internal static EngineException CannotLoad(string file, string reason) => new(Sentence(file, $"cannot be loaded: {reason}"));

    internal static EngineException WrongVersion(string folder, string found, IEnumerable<string> fitting) => new(Sentence(
        folder, $"libtorch {found}", string.Join(", ", fitting), "install a PyTorch of one of these versions and set LIBTORCH to its torch/lib"));

    internal static EngineException WrongAnswer(string folder, string found, string expected) => new(Sentence(
        folder, $"this libtorch fails the check at its start: {found}", expected, "use the libtorch that came with this program (unset LIBTORCH)"));

    internal static EngineException WrongShapes(string operation, string found, string expected) => new(Sentence(operation, found, expected));

    internal static EngineException BadThreads(int found) => new(Sentence("threads", $"{found}", "1 or more"));
}
