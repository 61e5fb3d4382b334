namespace LlmStageAudit.Foundation.Errors;

/// <summary>Whose an error is, for what it has to lead to: another request, another file, a look at the machine.</summary>
public enum ErrorKind
{
    /// <summary>The machine or the arithmetic failed: a disk, a process, numbers that are not finite.</summary>
    Failure,

    /// <summary>The request or a configuration is wrong.</summary>
    Request,

    /// <summary>A model, adapter, tokenizer, data set, run or plan is wrong.</summary>
    Input,

    /// <summary>A check found something: a finding, not a crash.</summary>
    Finding,

    /// <summary>Stopped at a valid checkpoint; the same request goes on from there.</summary>
    Stopped,
}

/// <summary>
/// An error whose message is written for the user: one line that says where, what was found, what was expected and
/// what to do. Every concern derives its own type and throws it through named factories.
/// </summary>
public abstract class AuditException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whose error it is.</summary>
    public abstract ErrorKind Kind { get; }

    /// <summary>
    /// "where: found; expected ...; remedy" on one line, empty parts left out. Whatever a hostile file put into a part, the line stays one
    /// line of bounded length and steers no terminal.
    /// </summary>
    protected static string Sentence(string where, string found, string? expected = null, string? remedy = null)
    {
        var text = $"{MessagePart.Of(where)}: {MessagePart.Of(found)}";
        if (!string.IsNullOrEmpty(expected)) text += $"; expected {MessagePart.Of(expected)}";
        if (!string.IsNullOrEmpty(remedy)) text += $"; {MessagePart.Of(remedy)}";
        return text;
    }
}

/// <summary>A file or folder the user handed in is not what it should be. Derived types name the concern.</summary>
public abstract class InvalidInputException(string message, Exception? inner = null) : AuditException(message, inner)
{
    /// <inheritdoc/>
    public override ErrorKind Kind => ErrorKind.Input;
}

/// <summary>A configuration or a request that cannot be used; carries every fault that was found.</summary>
public sealed class ConfigurationException : AuditException
{
    private ConfigurationException(IReadOnlyList<string> faults)
        : base(string.Join(Environment.NewLine, faults)) => Faults = faults;

    /// <inheritdoc/>
    public override ErrorKind Kind => ErrorKind.Request;

    /// <summary>One line per fault, in file order.</summary>
    public IReadOnlyList<string> Faults { get; }

    /// <summary>Of faults that are whole lines already, in the order to show them.</summary>
    public static ConfigurationException Of(IReadOnlyList<string> faults) => new(faults);

    /// <summary>Of one fault, as "where: found; expected ...; remedy".</summary>
    public static ConfigurationException At(string where, string found, string? expected = null, string? remedy = null) =>
        new([Sentence(where, found, expected, remedy)]);

    /// <summary>Of a setting with a value it cannot have, or that does not go with the others.</summary>
    /// <param name="setting">Which.</param>
    /// <param name="found">Its value.</param>
    /// <param name="expected">What it may be.</param>
    /// <param name="meant">What was probably meant; null where nothing is near.</param>
    public static ConfigurationException Bad(Setting setting, string found, string expected, string? meant = null) =>
        At(setting, $"'{found}'", expected, meant is null ? null : $"did you mean '{meant}'?");
}
