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
