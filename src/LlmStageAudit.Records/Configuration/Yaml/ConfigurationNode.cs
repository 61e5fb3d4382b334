using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Configuration.Yaml;

/// <summary>A YAML value with the place it came from. Only what configurations need: no anchors, no tags.</summary>
internal abstract class ConfigurationNode(ConfigurationSource source)
{
    public ConfigurationSource Source { get; } = source;

    /// <summary>For "found ...".</summary>
    public abstract string Description { get; }
}

/// <summary>A single value as text.</summary>
/// <param name="source">Where it stands.</param>
/// <param name="text">Without quotes, escapes resolved.</param>
/// <param name="isPlain">False where it was quoted or a block, so that it is text whatever it looks like.</param>
internal sealed class ScalarNode(ConfigurationSource source, string text, bool isPlain) : ConfigurationNode(source)
{
    public string Text { get; } = text;

    public bool IsPlain { get; } = isPlain;

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

/// <summary>Where a value stands: a line of a file, or an override of one.</summary>
/// <param name="Where">As messages name it: <c>run.yaml:12</c> or <c>override seed=x</c>.</param>
/// <param name="Line">For the order of messages; overrides come last.</param>
internal readonly record struct ConfigurationSource(string Where, int Line)
{
    public static ConfigurationSource OfOverride(string text) => new($"{Setting.Override} {Shown.Plain(text)}", int.MaxValue);

    public static ConfigurationSource OfLine(string path, long line) => new($"{path}:{line}", (int)Math.Min(line, int.MaxValue - 1));
}
