using System.Globalization;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Configuration.Yaml;

/// <summary>
/// Reads a block's keys as typed values and adds every fault to the list. An absent key and <c>null</c> both read as null;
/// a faulty value too, so that reading goes on and finds the rest.
/// </summary>
internal sealed class ConfigurationBlock
{
    private readonly MappingNode _mapping;
    private readonly string _prefix;

    /// <summary>Takes a block by its dotted key, empty for the root, and reports keys in it that are not known.</summary>
    public ConfigurationBlock(MappingNode mapping, string key, IReadOnlyList<string> known, FaultList faults)
    {
        _mapping = mapping;
        _prefix = key.Length == 0 ? "" : key + ".";
        Faults = faults;
        foreach (var (name, node) in mapping.Entries.Where(entry => !known.Contains(entry.Key)))
        {
            // Longer texts are no misspelt key, and comparing them would take their length squared.
            faults.Add(
                node.Source, _prefix + name, "unknown key", null,
                name.Length <= 100 ? ForeignKey.Meant(name, known) ?? Suggestion.For(name, known) : null);
        }
    }

    public FaultList Faults { get; }

    /// <summary>Present and not null.</summary>
    public bool Has(string key) => Node(key) is not null;

    /// <summary>Written, be it as null.</summary>
    public bool IsGiven(string key) => _mapping.Entries.ContainsKey(key);

    /// <summary>Written as null, which takes an inherited value away.</summary>
    public bool IsCleared(string key) => _mapping.Entries.TryGetValue(key, out var node) && node is ScalarNode { IsNull: true };

    public ConfigurationNode? Node(string key) =>
        _mapping.Entries.TryGetValue(key, out var node) && node is not ScalarNode { IsNull: true } ? node : null;

    /// <summary>At the key's own line where it is present, else at the block.</summary>
    public void Fault(string key, string found, string? expected = null, string? remedy = null)
    {
        var source = _mapping.Entries.TryGetValue(key, out var node) ? node.Source : _mapping.Source;
        Faults.Add(source, _prefix + key, found, expected, remedy);
    }

    public void Missing(string key, string expected) => Fault(key, "missing", expected);

    public string? Text(string key) => Scalar(key, "a text") is { } scalar ? CheckedText(scalar, _prefix + key) : null;

    /// <summary>A text that can be part of a file name; with a fault also another one.</summary>
    public string? Name(string key)
    {
        var name = Text(key);
        if (name is not null && !ConfigurationName.IsValid(name))
            Fault(key, Shown.Quoted(name), ConfigurationName.Expected, $"for example '{ConfigurationName.From(name)}'");
        return name;
    }

    /// <summary>
    /// The text as a path below <paramref name="folder"/> unless it is absolute; a fault where it breaks the confinement.
    /// </summary>
    public string? FilePath(string key, string folder) => Text(key) is { } text ? Confined(key, folder, text) : null;

    /// <summary>As <see cref="FilePath"/>, of a list of different texts.</summary>
    public IReadOnlyList<string> FilePaths(string key, string folder) =>
        TextList(key)?.Select(text => Confined(key, folder, text)).ToArray() ?? [];

    public long? Integer(string key, long minimum, long maximum, string expected) => Plain<long>(key, expected, text =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
        && value >= minimum && value <= maximum ? value : null);

    /// <summary>A whole number of at least one.</summary>
    public int? Count(string key, string unit, int maximum = 1_000_000) =>
        (int?)Integer(key, 1, maximum, $"a whole number of {unit} from 1 to {maximum}");

    public double? Number(string key, Func<double, bool> accepts, string expected)
    {
        const NumberStyles styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return Plain<double>(key, expected, text =>
            double.TryParse(text, styles, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) && accepts(value)
                ? value
                : null);
    }

    public bool? Flag(string key) => Plain<bool>(key, "true or false", text => text switch
    {
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ => null,
    });

    public TEnum? Choice<TEnum>(string key)
        where TEnum : struct, Enum =>
        Among(key, EnumSpelling<TEnum>.All) is { } text && EnumSpelling<TEnum>.TryParse(text, out var value) ? value : null;

    /// <summary>One of the spellings of a choice.</summary>
    public string? Among(string key, IReadOnlyList<string> spellings)
    {
        var expected = string.Join(", ", spellings);
        if (Scalar(key, expected) is not { } scalar) return null;
        if (spellings.Contains(scalar.Text)) return scalar.Text;
        var nearest = scalar.Text.Length <= 100 ? Suggestion.Nearest(scalar.Text, spellings) : null;
        Fault(key, scalar.Description, expected, nearest is null ? null : $"did you mean '{nearest}'?");
        return null;
    }

    /// <summary>A list of different texts; a single text is a list of one.</summary>
    public IReadOnlyList<string>? TextList(string key) => List(key, static text => text, static text => text);

    /// <summary>
    /// A list of texts and, where their keys are given, blocks; a single one is a list of one. No two may have the same name.
    /// </summary>
    /// <param name="key">Its key in this block.</param>
    /// <param name="ofText">Makes an item of a text.</param>
    /// <param name="nameOf">What an item is called.</param>
    /// <param name="blockKeys">Every key a block may have; null where blocks are none.</param>
    /// <param name="ofBlock">Makes an item of a block; null after a fault.</param>
    public IReadOnlyList<T>? List<T>(
        string key, Func<string, T> ofText, Func<T, string> nameOf, IReadOnlyList<string>? blockKeys = null,
        Func<ConfigurationBlock, T?>? ofBlock = null)
        where T : class
    {
        var node = Node(key);
        if (node is null) return null;
        if (node is MappingNode && blockKeys is null)
        {
            Fault(key, node.Description, "a list of texts");
            return null;
        }

        var items = node is SequenceNode sequence ? sequence.Items : [node];
        var list = new List<T>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < items.Count; i++)
        {
            var itemKey = $"{_prefix}{key}.{i}";
            T? item = null;
            if (items[i] is MappingNode mapping && blockKeys is not null)
                item = ofBlock!(new ConfigurationBlock(mapping, itemKey, blockKeys, Faults));
            else if (items[i] is not ScalarNode { IsNull: false } scalar)
                Faults.Add(items[i].Source, itemKey, items[i] is ScalarNode ? "nothing" : items[i].Description, "a text");
            else if (CheckedText(scalar, itemKey) is { } text)
                item = ofText(text);
            if (item is null) continue;
            if (seen.Add(nameOf(item))) list.Add(item);
            else Faults.Add(items[i].Source, itemKey, $"{Shown.Quoted(nameOf(item))} is given twice", "each once", "remove one");
        }

        return list;
    }

    /// <summary>A nested block, or null where it is absent or, with a fault, something else.</summary>
    /// <param name="key">Its key in this block.</param>
    /// <param name="known">Every key it may have.</param>
    /// <param name="required">What is missing where it is absent; null: nothing.</param>
    public ConfigurationBlock? Block(string key, IReadOnlyList<string> known, string? required = null)
    {
        var node = Node(key);
        if (node is MappingNode mapping) return new ConfigurationBlock(mapping, _prefix + key, known, Faults);
        if (node is not null) Fault(key, node.Description, $"a block with the keys {string.Join(", ", known)}");
        else if (required is not null) Missing(key, required);
        return null;
    }

    private string Confined(string key, string folder, string text)
    {
        var path = Path.GetFullPath(Path.Combine(folder, text));
        if (Confinement.Fault(path) is { } found) Fault(key, found, Confinement.Expected, Confinement.Remedy);
        return path;
    }

    private ScalarNode? Scalar(string key, string expected)
    {
        var node = Node(key);
        if (node is not (null or ScalarNode)) Fault(key, node.Description, expected);
        return node as ScalarNode;
    }

    // A value that is no text; a fault where it is quoted or cannot be read.
    private T? Plain<T>(string key, string expected, Func<string, T?> read)
        where T : struct
    {
        if (Scalar(key, expected) is not { } scalar) return null;
        var value = scalar.IsPlain ? read(scalar.Text) : null;
        if (value is null) Fault(key, scalar.Description, expected);
        return value;
    }

    private string? CheckedText(ScalarNode scalar, string key)
    {
        if (scalar.Text.Trim().Length > 0 && !scalar.Text.Contains('\0') && scalar.Text.Length <= 10_000) return scalar.Text;
        var found = scalar.Text.Contains('\0') ? "a NUL character" : scalar.Text.Length > 10_000 ? "a very long text" : "an empty text";
        Faults.Add(scalar.Source, key, found, "a text of 1 to 10000 characters");
        return null;
    }
}
