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
/// Longer rows lose their end (a completion's prompt its beginning) before the tokenizer's special tokens are put around them; null: what
/// the tokenizer's configuration says; more than the model takes: what it takes.
/// </param>
public sealed class ExampleReader(LanguageModel model, int? maxLength)
{
    private readonly Lazy<ModelTokenizer> _tokenizer = new(() =>
        ModelTokenizer.Load(model.Folder.TokenizerPath ?? throw ModelingException.At(
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

        var (examples, cut) = (new List<EncodedExample>(), 0);
        for (var index = 0; index < comments.Rows.Count && examples.Count < (section.Limit ?? int.MaxValue); index++)
        {
            var row = comments.Rows[index];
            if (filter is not null && !filter.Test(row)) continue;
            var (example, isCut) = Encode(row, index, columns, section.Path);
            examples.Add(example);
            if (isCut) cut++;
        }

        if (examples.Count == 0)
        {
            throw ModelingException.At(
                section.Path,
                section.Where is null ? "the file has no rows" : $"none of {comments.Rows.Count} rows passes where: {section.Where}",
                "at least one example",
                "change the filter or the file");
        }

        var notes = _tokenizer.IsValueCreated ? [.. _tokenizer.Value.Notes] : new List<string>();
        if (cut > 0) notes.Add($"{section.Path}: {cut} of {examples.Count} rows are longer than {LimitOf(columns)} tokens, and are cut");
        return new ExampleSet(section.Path, examples, comments) { Notes = notes };
    }

    private (EncodedExample Example, bool IsCut) Encode(CommentRow row, int index, DatasetColumns columns, string path)
    {
        var id = columns.Id is { } idColumn && row.Text(idColumn) is { Length: > 0 } given
            ? given
            : row.Number.ToString(CultureInfo.InvariantCulture);
        var limit = LimitOf(columns);
        var (ids, promptTokens, isCut) = columns.Ids is { } idsColumn
            ? Cut(GivenIds(row, idsColumn, path), limit)
            : Tokenize(row, columns, limit);
        RefuseUnknownTokens(ids, row, path);
        var needed = model.Task == ModelTask.CausalLm ? promptTokens + 1 : 1;
        if (ids.Length < needed)
        {
            throw ModelingException.At(
                $"{path}:{row.Line}", $"row {row.Number} has {ids.Length} tokens", $"at least {needed}",
                "leave the row out with data.where");
        }

        return (new EncodedExample(id, ids, columns.Label is { } label ? Label(row, label, path) : -1, promptTokens, index), isCut);
    }

    private int LimitOf(DatasetColumns columns) =>
        Math.Min(maxLength ?? (columns.Ids is null ? _tokenizer.Value.MaxLength : null) ?? model.MaxPositions, model.MaxPositions);

    private static (int[] Ids, int PromptTokens, bool IsCut) Cut(int[] ids, int limit) =>
        ids.Length <= limit ? (ids, 1, false) : (ids[..limit], 1, true);

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

    /// <summary>
    /// The ids of a text, and of what is to follow it, with the tokenizer's special tokens around the whole. Where that is too long, a text
    /// is cut, or a prompt gives way to its completion; the special tokens stay.
    /// </summary>
    private (int[] Ids, int PromptTokens, bool IsCut) Tokenize(CommentRow row, DatasetColumns columns, int limit)
    {
        var (before, after) = (_tokenizer.Value.Before, _tokenizer.Value.After);
        var room = limit - before.Count - after.Count;
        if (room < 1)
        {
            throw ModelingException.At(
                model.Folder.Path, $"{limit} tokens at most, of which the tokenizer's special tokens take {before.Count + after.Count}",
                "room for a text", "raise model.maxLength");
        }

        var text = _tokenizer.Value.Encode(row.Text(columns.Text!) ?? "");
        var rest = columns.Completion is { } completion ? _tokenizer.Value.Encode(row.Text(completion) ?? "") : [];
        var surplus = Math.Max(0, text.Length + rest.Length - room);
        if (columns.Completion is null)
        {
            text = _tokenizer.Value.CutsLeft ? text[surplus..] : text[..(text.Length - surplus)];
            return ([.. before, .. text, .. after], 1, surplus > 0);
        }

        // At least one token stands before the first that is scored.
        text = text[Math.Min(surplus, Math.Max(0, text.Length - (before.Count == 0 ? 1 : 0)))..];
        rest = rest[..Math.Min(rest.Length, room - text.Length)];
        return ([.. before, .. text, .. rest, .. after], Math.Max(1, before.Count + text.Length), surplus > 0);
    }

    private int Label(CommentRow row, RowExpression expression, string path)
    {
        var label = expression.Evaluate(row);
        return label >= 0 && label < model.Labels ? (int)label : throw ModelingException.At(
            $"{path}:{row.Line}", $"row {row.Number} has label {label}", $"0 to {model.Labels - 1}",
            "set model.labels or the label expression");
    }
}
