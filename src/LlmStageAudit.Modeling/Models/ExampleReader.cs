using System.Globalization;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Models;

/// <summary>
/// Turns a data section of the configuration into token ids and labels as a model takes them: select, tokenize, truncate, check.
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
    /// <param name="target">A second label, such as whether a confounder is there; a row must say it too.</param>
    /// <param name="kept">Of the file's columns, those whose cells are kept with the examples; null: none.</param>
    /// <exception cref="InvalidInputException">A column, row, label or id is wrong, or nothing is selected.</exception>
    public ExampleSet Read(
        DatasetSection section, string? target = null, Func<IReadOnlyList<string>, IEnumerable<string>>? kept = null)
    {
        using var table = CommentTable.Open(section.Path, section.Quoting != TableQuoting.None);
        var columns = DatasetColumns.Resolve(section, table.Columns, model.Task, target);
        var read = columns.Used.Concat(kept?.Invoke(table.Columns) ?? []);
        var selection = new RowSelection(section, columns.Filter, columns.Lacking);
        var (examples, targets, rows, cut) = (new List<EncodedExample>(), new List<int>(), new List<CommentRow>(), 0);
        var remarks = new ExampleRemarks(section.Path, columns);
        foreach (var row in selection.Of(table.Rows(read)))
        {
            var (example, isCut) = Encode(row, columns);
            examples.Add(example);
            if (columns.Target is { } second) targets.Add(Label(row, second.Expression));
            if (kept is not null) rows.Add(row);
            if (isCut) cut++;
            remarks.See(row, example.Label);
        }

        selection.ThrowIfNone();
        return new ExampleSet(section.Path, examples)
        {
            Targets = columns.Target is null ? null : targets,
            Columns = table.Columns,
            Rows = rows,
            LabelRemark = remarks.OfLabels(),
            Warnings =
            [
                .. table.Warnings, .. selection.Warnings(), .. remarks.Warnings(), .. OfTokens(columns, cut, examples.Count),
            ],
        };
    }

    private IEnumerable<Warning> OfTokens(DatasetColumns columns, int cut, int count)
    {
        var ofTokenizer = columns.Ids is null ? _tokenizer.Value.Warnings : [];
        var text = $"{cut} of {count} rows are longer than {LimitOf(columns)} tokens, and are cut";
        return cut == 0 ? ofTokenizer : [.. ofTokenizer, new Warning("rows-cut", text)];
    }

    private (EncodedExample Example, bool IsCut) Encode(CommentRow row, DatasetColumns columns)
    {
        if (columns.Lacking(row) is { } lack)
        {
            throw ModelingException.At(
                row.Where, $"row {row.Number} has {lack}", "one in every row", "leave such rows out with data.missing: skip");
        }

        var id = columns.Id is { } idColumn && row.Text(idColumn) is { Length: > 0 } given
            ? given
            : row.Number.ToString(CultureInfo.InvariantCulture);
        var limit = LimitOf(columns);
        var (ids, promptTokens, isCut) = columns.Ids is { } idsColumn ? Cut(row.Ids(idsColumn)!, limit) : Tokenize(row, columns, limit);
        RefuseUnknownTokens(ids, row);
        var needed = model.Task == ModelTask.CausalLm ? promptTokens + 1 : 1;
        if (ids.Length < needed)
        {
            throw ModelingException.At(
                row.Where, $"row {row.Number} has {ids.Length} tokens", $"at least {needed}", "leave the row out with data.where");
        }

        var label = columns.Label is { Expression: var expression } ? Label(row, expression) : -1;
        return (new EncodedExample(id, ids, label, promptTokens, row.Number - 1), isCut);
    }

    private int LimitOf(DatasetColumns columns) =>
        Math.Min(maxLength ?? (columns.Ids is null ? _tokenizer.Value.MaxLength : null) ?? model.MaxPositions, model.MaxPositions);

    private static (int[] Ids, int PromptTokens, bool IsCut) Cut(int[] ids, int limit) =>
        ids.Length <= limit ? (ids, 1, false) : (ids[..limit], 1, true);

    /// <summary>Given ids may be anything, and the tokenizer in a folder may be another model's.</summary>
    private void RefuseUnknownTokens(int[] ids, CommentRow row)
    {
        var unknown = Array.FindIndex(ids, id => id < 0 || id >= model.VocabularySize);
        if (unknown < 0) return;
        throw ModelingException.At(
            row.Where, $"token id {ids[unknown]}", $"0 to {model.VocabularySize - 1}",
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

        var text = _tokenizer.Value.Encode(row.Text(columns.Text!)!);
        var rest = columns.Completion is { } completion ? _tokenizer.Value.Encode(row.Text(completion)!) : [];
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

    private int Label(CommentRow row, RowExpression expression)
    {
        var label = expression.Evaluate(row);
        return label >= 0 && label < model.Labels ? (int)label : throw ModelingException.At(
            row.Where, $"row {row.Number} has label {label}", $"0 to {model.Labels - 1}", "set model.labels or the label expression");
    }
}
