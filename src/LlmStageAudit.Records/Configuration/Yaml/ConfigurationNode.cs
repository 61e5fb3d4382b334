using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Configuration.Yaml;

/// <summary>A YAML value with the place it came from. Only what configurations need: no anchors, no tags.</summary>
internal abstract class ConfigurationNode(ConfigurationSource source)
{
    public ConfigurationSource Source => source;

    /// <summary>For "found ...".</summary>
    public abstract string Description { get; }
}

/// <summary>A single value as text, without quotes, escapes resolved. Where it was quoted or a block, it is not plain.</summary>
internal sealed class ScalarNode(ConfigurationSource source, string text, bool isPlain) : ConfigurationNode(source)
{
    public string Text => text;

    public bool IsPlain => isPlain;

    public bool IsNull => IsPlain && (Text is "" or "null" or "Null" or "NULL" or "~");

    public override string Description => IsPlain ? Shown.Quoted(Text) : $"the text {Shown.Quoted(Text)}";
}

internal sealed class SequenceNode(ConfigurationSource source) : ConfigurationNode(source)
{
    public List<ConfigurationNode> Items { get; } = [];

    public override string Description => "a list";
}

internal sealed class MappingNode(ConfigurationSource source) : ConfigurationNode(source)
{
    /// <summary>In file order.</summary>
    public OrderedDictionary<string, ConfigurationNode> Entries { get; } = new(StringComparer.Ordinal);

    public override string Description => "a block of keys";
}

/// <summary>Where a value stands: <c>run.yaml:12</c> or <c>override seed=x</c>. The line orders messages; overrides come last.</summary>
internal readonly record struct ConfigurationSource(string Where, int Line)
{
    public static ConfigurationSource OfOverride(string text) => new($"{Setting.Override} {Shown.Plain(text)}", int.MaxValue);

    public static ConfigurationSource OfLine(string path, long line) => new($"{path}:{line}", (int)Math.Min(line, int.MaxValue - 1));
}

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
