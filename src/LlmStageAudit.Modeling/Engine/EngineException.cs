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

    internal static EngineException At(string where, string found, string? expected = null, string? remedy = null) =>
        new(Sentence(where, found, expected, remedy));
}
