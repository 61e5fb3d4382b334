using System.Globalization;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Models;

/// <summary>
/// Turns a data section of the configuration into token ids and labels as a model takes them: filter, limit, tokenize,
/// truncate, check.
/// </summary>
/// <param name="model">
/// Its task decides what a row must hold; its labels and vocabulary bound labels and ids; its folder has the tokenizer.
/// </param>
/// <param name="maxLength">
/// Longer rows lose their end (a completion's prompt its beginning); null, or more than the model takes: what it takes.
/// </param>
public sealed class ExampleReader(LanguageModel model, int? maxLength)
{
    private readonly int _maxLength = Math.Min(maxLength ?? model.MaxPositions, model.MaxPositions);
    private readonly Lazy<HuggingFaceTokenizer> _tokenizer = new(() =>
        HuggingFaceTokenizer.Load(model.Folder.TokenizerPath ?? throw ModelingException.At(
            model.Folder.Path, "no tokenizer.json", "one beside the weights", "add it, or give rows with token ids (data.ids)")));

    /// <summary>The examples a data section selects, in file order.</summary>
    /// <param name="section">Which rows, and which columns hold what.</param>
    /// <param name="labelOverride">An expression to use in place of the section's label.</param>
    /// <exception cref="InvalidInputException">A column, row, label or id is wrong, or nothing is selected.</exception>
    public ExampleSet Read(DatasetSection section, string? labelOverride = null)
    {
        var comments = CommentSet.Read(section.Path);
        var columns = DatasetColumns.Resolve(section, comments, model.Task, labelOverride);
        var filter = section.Where is { } where ? RowExpression.Parse(where, comments.Columns, $"{section.Path}: where") : null;

        var examples = new List<EncodedExample>();
        for (var index = 0; index < comments.Rows.Count && examples.Count < (section.Limit ?? int.MaxValue); index++)
        {
            var row = comments.Rows[index];
            if (filter is null || filter.Test(row)) examples.Add(Encode(row, index, columns, section.Path));
        }

        if (examples.Count == 0)
        {
            throw ModelingException.At(
                section.Path,
                section.Where is null ? "the file has no rows" : $"none of {comments.Rows.Count} rows passes where: {section.Where}",
                "at least one example",
                "change the filter or the file");
        }

        return new ExampleSet(section.Path, examples, comments);
    }

    private EncodedExample Encode(CommentRow row, int index, DatasetColumns columns, string path)
    {
        var id = columns.Id is { } idColumn && row.Text(idColumn) is { Length: > 0 } given
            ? given
            : row.Number.ToString(CultureInfo.InvariantCulture);
        var (ids, promptTokens) = columns.Ids is { } idsColumn ? (GivenIds(row, idsColumn, path), 1) : Tokenize(row, columns);
        RefuseUnknownTokens(ids, row, path);
        if (ids.Length > _maxLength) (ids, promptTokens) = Truncate(ids, promptTokens);
        var needed = model.Task == ModelTask.CausalLm ? promptTokens + 1 : 1;
        if (ids.Length < needed)
        {
            throw ModelingException.At(
                $"{path}:{row.Line}", $"row {row.Number} has {ids.Length} tokens", $"at least {needed}",
                "leave the row out with data.where");
        }

        return new EncodedExample(id, ids, columns.Label is { } label ? Label(row, label, path) : -1, promptTokens, index);
    }

    private static int[] GivenIds(CommentRow row, string column, string path) => row.Ids(column)
        ?? throw ModelingException.At(
            $"{path}:{row.Line}", $"'{column}' holds no list of integers", "token ids", "give JSON lines with a list");

    /// <summary>Given ids may be anything, and the tokenizer in a folder may be another model's.</summary>
    private void RefuseUnknownTokens(int[] ids, CommentRow row, string path)
    {
        var unknown = Array.FindIndex(ids, id => id < 0 || id >= model.VocabularySize);
        if (unknown < 0) return;
        throw ModelingException.At(
            $"{path}:{row.Line}", $"token id {ids[unknown]}", $"0 to {model.VocabularySize - 1}",
            "use the tokenizer that belongs to the model");
    }

    private (int[] Ids, int PromptTokens) Tokenize(CommentRow row, DatasetColumns columns)
    {
        var text = _tokenizer.Value.Encode(row.Text(columns.Text!) ?? "", addSpecialTokens: true);
        if (columns.Completion is not { } completion) return (text, 1);
        var rest = _tokenizer.Value.Encode(row.Text(completion) ?? "", addSpecialTokens: false);
        return ([.. text, .. rest], Math.Max(1, text.Length));
    }

    /// <summary>A classified text keeps its beginning; a prompt gives way to its completion.</summary>
    private (int[] Ids, int PromptTokens) Truncate(int[] ids, int promptTokens)
    {
        var surplus = ids.Length - _maxLength;
        if (promptTokens == 1) return (ids[.._maxLength], 1);
        var fromPrompt = Math.Min(surplus, promptTokens - 1);
        return (ids[fromPrompt..(fromPrompt + _maxLength)], promptTokens - fromPrompt);
    }

    private int Label(CommentRow row, RowExpression expression, string path)
    {
        var label = expression.Evaluate(row);
        return label >= 0 && label < model.Labels ? (int)label : throw ModelingException.At(
            $"{path}:{row.Line}", $"row {row.Number} has label {label}", $"0 to {model.Labels - 1}",
            "set model.labels or the label expression");
    }
}
