using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration.Yaml;

namespace LlmStageAudit.Records.Configuration;

/// <summary>A labelled text set: a file, and which of its columns mean what.</summary>
public sealed record DatasetSection
{
    /// <summary>The format name whose column names and labels are built in.</summary>
    public const string CivilComments = "civil-comments";

    /// <summary>CSV or JSON lines file, absolute.</summary>
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

    /// <summary>Identity columns; probes only.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];
}

/// <summary>Reads a <c>data</c> block, of a stage or of a probe.</summary>
internal static class DatasetSectionReader
{
    private static readonly string[] StageKeys = ["path", "format", "text", "label", "ids", "completion", "id", "where", "limit"];
    private static readonly string[] ProbeKeys = [.. StageKeys, "groups"];

    /// <summary>Reads a block <c>data</c>; what is wrong goes to the block's faults.</summary>
    /// <param name="parent">The block that holds <c>data</c>.</param>
    /// <param name="folder">What a relative path is relative to.</param>
    /// <param name="task">What decides which columns are needed; null where it is not known yet, and then they are not checked.</param>
    /// <param name="isProbe">Takes <c>groups</c> too, and needs no label where the metric names a column.</param>
    public static DatasetSection Read(ConfigurationBlock parent, string folder, ModelTask? task, bool isProbe)
    {
        var block = parent.Block("data", isProbe ? ProbeKeys : StageKeys, "a block with the path of a CSV or JSON lines file");
        if (block is null) return new DatasetSection { Path = folder };
        if (!block.Has("path")) block.Missing("path", "a CSV or JSON lines file");
        CheckColumns(block, task, isProbe);
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
            Groups = (isProbe ? block.TextList("groups") : null) ?? [],
        };
    }

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
