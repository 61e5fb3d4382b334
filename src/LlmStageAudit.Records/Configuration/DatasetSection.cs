using System.Text.Json;
using System.Text.Json.Serialization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration.Yaml;

namespace LlmStageAudit.Records.Configuration;

/// <summary>A labelled text set: a file, and which of its columns mean what.</summary>
public sealed record DatasetSection
{
    /// <summary>The format name whose column names and labels are built in.</summary>
    public const string CivilComments = "civil-comments";

    /// <summary>CSV, TSV, JSON lines or Parquet file, absolute.</summary>
    public required string Path { get; init; }

    /// <summary><see cref="CivilComments"/>, or null where the columns are named here.</summary>
    public string? Format { get; init; }

    /// <summary>Column that holds the text.</summary>
    public string? Text { get; init; }

    /// <summary>Label expression: a column, or a comparison such as <c>toxicity >= 0.5</c>.</summary>
    public string? Label { get; init; }

    /// <summary>Column that holds token ids, used as they are in place of a text.</summary>
    public string? Ids { get; init; }

    /// <summary>Causal models: column whose text follows the first and alone is scored.</summary>
    public string? Completion { get; init; }

    /// <summary>Column that names a row; null: <c>id</c> where the file has it, else the row number.</summary>
    public string? Id { get; init; }

    /// <summary>Expression that a row must fulfil to be taken.</summary>
    public string? Where { get; init; }

    /// <summary>The first so many rows that fulfil <see cref="Where"/>; null: all.</summary>
    public int? Limit { get; init; }

    /// <summary>So many of the rows that fulfil <see cref="Where"/>, drawn at random and kept in file order; null: all.</summary>
    public int? Sample { get; init; }

    /// <summary>Decides which rows <see cref="Sample"/> draws; null where nothing is drawn.</summary>
    public long? SampleSeed { get; init; }

    /// <summary>What becomes of rows without a label or a text; null: refused.</summary>
    public MissingRows? Missing { get; init; }

    /// <summary>What quotes mean in CSV and TSV; null: they hold fields together.</summary>
    public TableQuoting? Quoting { get; init; }

    /// <summary>Probes only.</summary>
    public IReadOnlyList<GroupSection> Groups { get; init; } = [];
}

/// <summary>What becomes of rows that lack what they are taken for.</summary>
public enum MissingRows
{
    /// <summary>The first one is an error.</summary>
    Refuse,

    /// <summary>They are left out and counted.</summary>
    Skip,
}

/// <summary>What quotes mean in a table of text.</summary>
public enum TableQuoting
{
    /// <summary>As RFC 4180 has it: a quoted field holds delimiters, line ends and doubled quotes.</summary>
    Quoted,

    /// <summary>Nothing: a quote is a character like any other.</summary>
    None,
}

/// <summary>A subgroup of a probe's examples.</summary>
/// <param name="Name">What results call it.</param>
/// <param name="Where">An identity column, or a condition.</param>
[JsonConverter(typeof(GroupSectionConverter))]
public sealed record GroupSection(string Name, string Where)
{
    /// <summary>A group that is called as it is written.</summary>
    public static implicit operator GroupSection(string where) => new(where, where);
}

/// <summary>A group without a name of its own is its text, as in YAML.</summary>
internal sealed class GroupSectionConverter : JsonConverter<GroupSection>
{
    public override GroupSection Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String) return reader.GetString()!;
        var named = JsonSerializer.Deserialize<Named>(ref reader, options) ?? throw new JsonException("a group that is null");
        return new GroupSection(named.Name, named.Where);
    }

    public override void Write(Utf8JsonWriter writer, GroupSection value, JsonSerializerOptions options)
    {
        if (value.Name == value.Where) writer.WriteStringValue(value.Where);
        else JsonSerializer.Serialize(writer, new Named(value.Name, value.Where), options);
    }

    private sealed record Named(string Name, string Where);
}

/// <summary>Reads a <c>data</c> block, of a stage or of a probe.</summary>
internal static class DatasetSectionReader
{
    private static readonly string[] StageKeys =
    [
        "path", "format", "text", "label", "ids", "completion", "id", "where", "limit", "sample", "sampleSeed", "missing", "quoting",
    ];

    private static readonly string[] ProbeKeys = [.. StageKeys, "groups"];
    private static readonly string[] GroupKeys = ["name", "where"];

    /// <summary>Reads a block <c>data</c>; what is wrong goes to the block's faults.</summary>
    /// <param name="parent">The block that holds <c>data</c>.</param>
    /// <param name="folder">What a relative path is relative to.</param>
    /// <param name="task">What decides which columns are needed; null where it is not known yet, and then they are not checked.</param>
    /// <param name="seed">What a sample is drawn by where the block says nothing.</param>
    /// <param name="isProbe">Takes <c>groups</c> too, and needs no label where the metric names a column.</param>
    public static DatasetSection Read(ConfigurationBlock parent, string folder, ModelTask? task, long seed, bool isProbe)
    {
        var block = parent.Block("data", isProbe ? ProbeKeys : StageKeys, "a block with the path of a CSV, JSON lines or Parquet file");
        if (block is null) return new DatasetSection { Path = folder };
        if (!block.Has("path")) block.Missing("path", "a CSV, JSON lines or Parquet file");
        CheckColumns(block, task, isProbe);
        var sampleSeed = block.Integer("sampleSeed", long.MinValue, long.MaxValue, "a whole number");
        if (block.Has("sampleSeed") && !block.Has("sample"))
            block.Fault("sampleSeed", "given without sample", null, "add sample, or remove it");
        if (block.Has("sample") && block.Has("limit"))
            block.Fault("sample", "given beside limit", "one of the two", "limit takes the first rows, sample any");
        return new DatasetSection
        {
            Path = block.FilePath("path", folder) ?? folder,
            Format = ReadFormat(block),
            Text = block.Text("text"),
            Label = block.Text("label"),
            Ids = block.Text("ids"),
            Completion = block.Text("completion"),
            Id = block.Text("id"),
            Where = block.Text("where"),
            Limit = block.Count("limit", "rows", int.MaxValue),
            Sample = block.Count("sample", "rows", int.MaxValue),
            SampleSeed = block.Has("sample") ? sampleSeed ?? seed : null,
            Missing = block.Choice<MissingRows>("missing"),
            Quoting = block.Choice<TableQuoting>("quoting"),
            Groups = isProbe ? ReadGroups(block) : [],
        };
    }

    private static IReadOnlyList<GroupSection> ReadGroups(ConfigurationBlock block) =>
        block.List<GroupSection>("groups", static text => text, static group => group.Name, GroupKeys, static group =>
        {
            foreach (var key in GroupKeys.Where(key => !group.Has(key)))
                group.Missing(key, "a name, and the column or condition it is for");
            return group.Text("name") is { } name && group.Text("where") is { } where ? new GroupSection(name, where) : null;
        }) ?? [];

    private static string? ReadFormat(ConfigurationBlock block)
    {
        var format = block.Text("format");
        if (format is null or DatasetSection.CivilComments) return format;
        block.Fault(
            "format", Shown.Quoted(format), DatasetSection.CivilComments, "leave it out and name the columns: text, label");
        return null;
    }

    private static void CheckColumns(ConfigurationBlock block, ModelTask? task, bool isProbe)
    {
        if (block.Has("text") && block.Has("ids"))
        {
            block.Fault("ids", "given beside text", "one of the two", "remove one: ids are used in place of a text");
        }

        if (!block.Has("format") && !block.Has("text") && !block.Has("ids"))
        {
            block.Missing("text", "the column that holds the text (or ids, or a format that knows its columns)");
        }

        if (task == ModelTask.SequenceClassification && !isProbe && !block.Has("format") && !block.Has("label"))
        {
            block.Missing("label", "a column or a comparison such as \"toxicity >= 0.5\"");
        }

        if (task == ModelTask.SequenceClassification && block.Has("completion"))
        {
            block.Fault("completion", "not scored by sequence-classification", "a label", "remove it, or set task: causal-lm");
        }
    }
}
