using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Examples;

/// <summary>
/// Which column holds what, after defaults and the known formats: the text, or token ids in its place; the completion that a causal
/// language model is scored on, after the text; the label, null for such a model, and a second one; the examples' names; the filter.
/// </summary>
internal sealed record DatasetColumns(
    string? Text, string? Ids, string? Completion, DatasetLabel? Label, DatasetLabel? Target, string? Id, RowExpression? Filter)
{
    /// <summary>The columns that are looked at.</summary>
    public IEnumerable<string> Used =>
    [
        .. new[] { Text, Ids, Completion, Id }.OfType<string>(),
        .. new[] { Label?.Expression, Target?.Expression, Filter }.OfType<RowExpression>().SelectMany(expression => expression.ColumnsUsed),
    ];

    public static DatasetColumns Resolve(DatasetSection section, IReadOnlyList<string> columns, ModelTask task, string? target)
    {
        var civil = section.Format == DatasetSection.CivilComments;
        var text = section.Ids is not null ? null : section.Text ?? (civil ? First(columns, "comment_text", "text") : "text");
        foreach (var (column, key) in new[]
        {
            (text, "data.text"),
            (section.Ids, "data.ids"),
            (section.Completion, "data.completion"),
            (section.Id, "data.id")
        })
        {
            if (column is not null && !columns.Contains(column))
            {
                throw ModelingException.At(
                    section.Path, $"no column '{column}'", null, $"set {key}; {Suggestion.For(column, columns)}");
            }
        }

        var label = section.Label ?? (civil ? $"{First(columns, "toxicity", "target")} >= 0.5" : "label");
        return new DatasetColumns(
            text, section.Ids, section.Completion,
            task == ModelTask.CausalLm ? null : Parse(label, "label"),
            target is null ? null : Parse(target, "metric"),
            section.Id ?? (columns.Contains("id") ? "id" : null),
            section.Where is { } where ? RowExpression.Parse(where, columns, $"{section.Path}: where") : null);

        DatasetLabel Parse(string expression, string key) =>
            new(expression, RowExpression.Parse(expression, columns, $"{section.Path}: {key}"));
    }

    /// <summary>What a row lacks of what it is taken for, or null.</summary>
    public string? Lacking(CommentRow row) =>
        Ids is not null && row.Ids(Ids) is null ? $"no token ids in '{Ids}'"
        : Text is not null && string.IsNullOrEmpty(row.Text(Text)) ? $"no text in '{Text}'"
        : Completion is not null && string.IsNullOrEmpty(row.Text(Completion)) ? $"no text in '{Completion}'"
        : Label?.Lacking(row) ?? Target?.Lacking(row);

    private static string First(IReadOnlyList<string> columns, params string[] names) => names.FirstOrDefault(columns.Contains) ?? names[0];
}

/// <summary>A label as it is written.</summary>
internal sealed record DatasetLabel(string Text, RowExpression Expression)
{
    /// <summary>Whether this is more than a column.</summary>
    public bool IsCondition => Expression.ColumnsUsed is not [var column] || column != Text.Trim('`', '[', ']');

    public string? Lacking(CommentRow row)
    {
        if (Expression.Evaluate(row) is not null) return null;
        var missing = string.Join(", ", Expression.ColumnsUsed.Where(row.IsMissing).Select(name => $"'{name}'"));
        return $"no label ({(IsCondition ? $"{Text}: " : "")}{missing} holds nothing)";
    }
}
