namespace LlmStageAudit.Foundation.Errors;

/// <summary>A configuration or a request that cannot be used; carries every fault that was found.</summary>
public sealed class ConfigurationException : AuditException
{
    private ConfigurationException(IReadOnlyList<string> faults)
        : base(string.Join(Environment.NewLine, faults)) => Faults = faults;

    public override ExitCode ExitCode => ExitCode.Usage;

    /// <summary>One line per fault, in file order.</summary>
    public IReadOnlyList<string> Faults { get; }

    public static ConfigurationException Of(IReadOnlyList<string> faults) => new(faults);

    public static ConfigurationException At(string where, string found, string? expected = null, string? remedy = null) =>
        new([Sentence(where, found, expected, remedy)]);
}
