using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Examples;

/// <summary>
/// Which column holds what, after defaults and the known formats: the text, or token ids in its place; the completion that a causal
/// language model is scored on, after the text; the label, null for such a model; the examples' names.
/// </summary>
internal sealed record DatasetColumns(string? Text, string? Ids, string? Completion, RowExpression? Label, string? Id)
{
    public static DatasetColumns Resolve(DatasetSection section, CommentSet comments, ModelTask task, string? labelOverride)
    {
        var civil = section.Format == "civil-comments";
        var text = section.Ids is not null ? null : section.Text ?? (civil ? First(comments, "comment_text", "text") : "text");
        foreach (var (column, key) in new[]
        {
            (text, "data.text"),
            (section.Ids, "data.ids"),
            (section.Completion, "data.completion"),
            (section.Id, "data.id")
        })
        {
            if (column is not null && !comments.Columns.Contains(column))
            {
                throw ModelingException.At(
                    section.Path, $"no column '{column}'", null, $"set {key}; {Suggestion.For(column, [.. comments.Columns])}");
            }
        }

        var expression = labelOverride ?? section.Label ?? (civil ? $"{First(comments, "toxicity", "target")} >= 0.5" : "label");
        var label = task == ModelTask.CausalLm && labelOverride is null
            ? null
            : RowExpression.Parse(expression, comments.Columns, $"{section.Path}: label");
        var id = section.Id ?? (comments.Columns.Contains("id") ? "id" : null);
        return new DatasetColumns(text, section.Ids, section.Completion, label, id);
    }

    private static string First(CommentSet comments, params string[] names) => names.FirstOrDefault(comments.Columns.Contains) ?? names[0];
}
