using System.Globalization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Configuration.Yaml;

/// <summary>
/// The override <c>a.b=c</c>: puts a YAML value at a dotted key, over what the file says. In a list the part is an item's
/// <c>name</c> (which may itself hold dots; the longest match wins) or else its index from 0.
/// </summary>
internal sealed class ConfigurationOverride(string dotted, ConfigurationSource source, FaultList faults)
{
    private readonly string[] _parts = dotted.Split('.');

    /// <summary>Puts one override into a configuration; what is wrong with its key goes to the faults.</summary>
    /// <exception cref="ConfigurationException">The value is no YAML.</exception>
    public static void Apply(MappingNode root, string text, FaultList faults)
    {
        var source = ConfigurationSource.OfOverride(text);
        var separator = text.IndexOf('=');
        var dotted = separator < 0 ? "" : text[..separator].Trim();
        if (dotted.Length == 0 || dotted.Split('.') is not { Length: <= ConfigurationText.MaximumDepth } parts || parts.Contains(""))
        {
            faults.Add(source, "", "not a key and a value", "key.key=value", $"for example {Setting.Override} optimizer.learningRate=5e-5");
            return;
        }

        var value = ConfigurationText.Parse(text[(separator + 1)..], _ => source, faults) ?? new ScalarNode(source, "", isPlain: true);
        new ConfigurationOverride(dotted, source, faults).Put(root, at: 0, value);
    }

    private void Put(ConfigurationNode node, int at, ConfigurationNode value)
    {
        if (node is MappingNode mapping) PutInMapping(mapping, at, value);
        else if (node is SequenceNode sequence) PutInSequence(sequence, at, value);
        else faults.Add(source, dotted, $"{string.Join('.', _parts[..at])} is {node.Description}", "a block of keys or a list there");
    }

    private void PutInMapping(MappingNode mapping, int at, ConfigurationNode value)
    {
        var key = at == 1 && _parts[0] == ConfigurationAlias.Block ? ConfigurationAlias.Resolve(_parts[at]) : _parts[at];
        if (at == _parts.Length - 1)
        {
            mapping.Entries[key] = value;
            return;
        }

        if (!mapping.Entries.TryGetValue(key, out var child) || child is ScalarNode { IsNull: true })
            mapping.Entries[key] = child = new MappingNode(source);
        Put(child, at + 1, value);
    }

    private void PutInSequence(SequenceNode sequence, int at, ConfigurationNode value)
    {
        var (index, taken) = Find(sequence, at);
        if (index < 0)
        {
            var names = sequence.Items.Select(NameOf).OfType<string>().ToArray();
            var expected = $"an index from 0 to {sequence.Items.Count - 1}";
            if (names.Length > 0) expected += " or a name";
            var remedy = names.Length == 0 || _parts[at].Length > 100 ? null : Suggestion.For(_parts[at], names);
            faults.Add(source, dotted, $"no item {Shown.Quoted(_parts[at])} in {string.Join('.', _parts[..at])}", expected, remedy);
        }
        else if (at + taken == _parts.Length)
        {
            sequence.Items[index] = value;
        }
        else
        {
            Put(sequence.Items[index], at + taken, value);
        }
    }

    private (int Index, int Taken) Find(SequenceNode sequence, int at)
    {
        for (var taken = _parts.Length - at; taken >= 1; taken--)
        {
            var name = string.Join('.', _parts[at..(at + taken)]);
            var index = sequence.Items.FindIndex(item => NameOf(item) == name);
            if (index >= 0) return (index, taken);
        }

        var isIndex = int.TryParse(_parts[at], NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        return isIndex && number < sequence.Items.Count ? (number, 1) : (-1, 1);
    }

    private static string? NameOf(ConfigurationNode node) =>
        node is MappingNode mapping && mapping.Entries.TryGetValue("name", out var name) && name is ScalarNode scalar ? scalar.Text : null;
}
