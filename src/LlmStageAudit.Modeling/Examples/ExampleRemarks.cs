using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Modeling.Examples;

/// <summary>
/// Watches examples as they are read for what a person would raise a hand at: conditions that are never true, texts that are words for
/// nothing.
/// </summary>
internal sealed class ExampleRemarks(string path, DatasetColumns columns)
{
    private const int MostValues = 3;

    private readonly HashSet<string> _values = new(StringComparer.Ordinal);
    private int _count;
    private int _firstLabel;
    private bool _hasTwoLabels;
    private (int Count, string First) _emptyWords;

    public void See(CommentRow row, int label)
    {
        if (_count++ == 0) _firstLabel = label;
        _hasTwoLabels |= label != _firstLabel;
        if (!_hasTwoLabels && _values.Count <= MostValues
            && columns.Label is { IsCondition: true, Expression.ColumnsUsed: [var column, ..] })
        {
            _values.Add(row.Text(column) ?? "");
        }

        if (columns.Text is { } text && row.IsMissing(text) && !string.IsNullOrWhiteSpace(row.Text(text)))
            _emptyWords = (_emptyWords.Count + 1, _emptyWords.Count == 0 ? $"'{row.Text(text)}' at {row.Where}" : _emptyWords.First);
    }

    /// <summary>Why all labels are the same, where the label is a condition.</summary>
    public string? OfLabels()
    {
        if (_hasTwoLabels || columns.Label is not { IsCondition: true } label) return null;
        var truth = _firstLabel is 0 or 1 ? $"for the condition is {(_firstLabel == 0 ? "never" : "always")} true: " : "";
        var values = string.Join(", ", _values.Take(MostValues).Select(Shown.Quoted)) + (_values.Count > MostValues ? ", ..." : "");
        return $"{truth}{label.Text}" + (_values.Count == 0 ? "" : $"; '{label.Expression.ColumnsUsed[0]}' holds {values}");
    }

    public IEnumerable<Warning> Warnings()
    {
        if (_emptyWords.Count > 0)
        {
            yield return new Warning(
                "text-says-nothing",
                $"{path}: {_emptyWords.Count} of {_count} texts are a word that pandas reads as a missing value, and were taken as text: "
                + _emptyWords.First);
        }
    }
}
