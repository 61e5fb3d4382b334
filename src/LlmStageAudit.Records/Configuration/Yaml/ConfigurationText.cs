using System.Text;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace LlmStageAudit.Records.Configuration.Yaml;

/// <summary>
/// YAML text to nodes, bounded in size, depth and count. Anchors, aliases, tags, second documents and duplicate keys are faults: a
/// configuration says each thing once, in one place.
/// </summary>
internal sealed class ConfigurationText(string text, Func<long, ConfigurationSource> locate, FaultList faults)
{
    public const int MaximumSizeBytes = 4 << 20;
    public const int MaximumDepth = 32;
    private const int MaximumNodes = 100_000;

    private readonly IParser _parser = new Parser(new StringReader(text));
    private int _nodes;

    /// <summary>The file's one value, in practice a block of keys; null where there is none.</summary>
    /// <exception cref="ConfigurationException">The file cannot be read, is too large, no UTF-8 or no YAML.</exception>
    public static ConfigurationNode? ReadFile(string path, FaultList faults)
    {
        byte[] bytes;
        try
        {
            if (!Path.Exists(path)) throw ConfigurationException.At(Shown.Plain(path), "no such file", "a YAML file", "check the path");
            bytes = ForeignFile.ReadText(path, MaximumSizeBytes);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw ConfigurationException.At(
                Shown.Plain(path), $"cannot be read ({exception.Message})", $"a YAML file of at most {MaximumSizeBytes} bytes");
        }

        try
        {
            var text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes);
            return Parse(text.StartsWith('\uFEFF') ? text[1..] : text, line => ConfigurationSource.OfLine(path, line), faults);
        }
        catch (DecoderFallbackException exception)
        {
            throw ConfigurationException.At(path, $"byte {exception.Index} is not UTF-8", "a YAML file in UTF-8", "save it as UTF-8");
        }
    }

    /// <summary>The one document in the text, or null where there is none.</summary>
    /// <exception cref="ConfigurationException">The text is no YAML, or nested too deep.</exception>
    public static ConfigurationNode? Parse(string text, Func<long, ConfigurationSource> locate, FaultList faults)
    {
        // The parser takes it for the end of the text, and what follows would be passed over.
        var nul = text.IndexOf('\0');
        if (nul >= 0) throw NotYaml(locate(1 + text.AsSpan(0, nul).Count('\n')), "a NUL character");
        var reading = new ConfigurationText(text, locate, faults);
        try
        {
            return reading.ReadDocument();
        }
        catch (YamlException exception)
        {
            throw NotYaml(locate(exception.Start.Line), exception.Message);
        }
        catch (Exception exception) when (IsParserFault(exception))
        {
            throw NotYaml(locate(reading._parser.Current?.End.Line ?? 1), "it cannot be parsed");
        }
    }

    private static ConfigurationException NotYaml(ConfigurationSource source, string found) =>
        ConfigurationException.At(source.Where, $"not valid YAML ({Shown.Plain(found)})", null, "check indentation and quotes");

    // Beside its own exception, YamlDotNet's scanner throws these at some malformed texts.
    private static bool IsParserFault(Exception exception) =>
        exception is InvalidOperationException or ArgumentException or FormatException or OverflowException
            or IndexOutOfRangeException or EndOfStreamException;

    private ConfigurationNode? ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (!_parser.TryConsume<DocumentStart>(out _)) return null;
        var root = ReadNode(depth: 1);
        _parser.Consume<DocumentEnd>();
        if (_parser.TryConsume<DocumentStart>(out var second))
        {
            faults.Add(locate(second.Start.Line), "", "a second YAML document", "one document", "put it into a file of its own");
        }

        return root;
    }

    private ConfigurationNode ReadNode(int depth)
    {
        if (_parser.Current is null && !_parser.MoveNext()) throw new YamlException("the text ends too early");
        var start = _parser.Current!;
        var source = locate(start.Start.Line);
        if (depth > MaximumDepth) throw ConfigurationException.At(source.Where, $"nested deeper than {MaximumDepth} levels");
        if (++_nodes > MaximumNodes) throw ConfigurationException.At(source.Where, $"more than {MaximumNodes} values");
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            faults.Add(source, "", $"the alias {Shown.Quoted("*" + alias.Value.Value)}", "a value", "write the value out");
            return new ScalarNode(source, "", isPlain: true);
        }

        if (start is NodeEvent node) CheckProperties(node, source);
        if (_parser.TryConsume<Scalar>(out var scalar)) return new ScalarNode(source, scalar.Value, scalar.Style == ScalarStyle.Plain);
        if (_parser.TryConsume<SequenceStart>(out _)) return ReadSequence(source, depth);
        _parser.Consume<MappingStart>();
        return ReadMapping(source, depth);
    }

    private void CheckProperties(NodeEvent node, ConfigurationSource source)
    {
        if (!node.Anchor.IsEmpty)
        {
            var found = $"the anchor {Shown.Quoted("&" + node.Anchor.Value)}";
            faults.Add(source, "", found, "no anchors", "write the value out where it is needed");
        }

        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific)
        {
            faults.Add(source, "", $"the tag {Shown.Quoted(node.Tag.Value)}", "no tags", "leave it out");
        }
    }

    private SequenceNode ReadSequence(ConfigurationSource source, int depth)
    {
        var sequence = new SequenceNode(source);
        while (!_parser.TryConsume<SequenceEnd>(out _)) sequence.Items.Add(ReadNode(depth + 1));
        return sequence;
    }

    private MappingNode ReadMapping(ConfigurationSource source, int depth)
    {
        var mapping = new MappingNode(source);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var key = ReadNode(depth + 1);
            var value = ReadNode(depth + 1);
            if (key is not ScalarNode { IsNull: false } name)
            {
                faults.Add(key.Source, "", $"{(key is ScalarNode ? "an empty value" : key.Description)} as a key", "a name");
            }
            else if (!mapping.Entries.TryAdd(name.Text, value))
            {
                faults.Add(name.Source, name.Text, "given twice in one block", "once", "remove one");
            }
        }

        return mapping;
    }
}
