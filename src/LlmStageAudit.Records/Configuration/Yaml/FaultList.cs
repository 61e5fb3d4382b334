using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Configuration.Yaml;

/// <summary>Collects every fault of a configuration, to be thrown at once and in file order.</summary>
internal sealed class FaultList
{
    private const int MaximumShown = 100;

    private readonly List<(int Line, string Text)> _faults = [];

    public int Count => _faults.Count;

    public void Add(ConfigurationSource at, string key, string found, string? expected = null, string? remedy = null)
    {
        var where = key.Length == 0 ? at.Where : $"{at.Where}: {Shown.Plain(key)}";
        _faults.Add((at.Line, ConfigurationException.At(where, found, expected, remedy).Faults[0]));
    }

    /// <summary>Ends the reading where faults were found: all of them, in file order.</summary>
    /// <exception cref="ConfigurationException">Anything was added.</exception>
    public void ThrowIfAny()
    {
        if (_faults.Count == 0) return;
        var lines = _faults.OrderBy(fault => fault.Line).Select(fault => fault.Text).Take(MaximumShown).ToList();
        if (_faults.Count > MaximumShown) lines.Add($"... and {_faults.Count - MaximumShown} more faults");
        throw ConfigurationException.Of(lines);
    }
}
