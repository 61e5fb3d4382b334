using System.Text.RegularExpressions;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>A part of an expression: a condition on a row, or a value.</summary>
internal abstract class Term
{
    public abstract bool Test(CommentRow row);

    public virtual long Evaluate(CommentRow row) => Test(row) ? 1 : 0;
}

internal sealed class Condition(Func<CommentRow, bool> test) : Term
{
    public override bool Test(CommentRow row) => test(row);
}

internal enum OperandKind
{
    Column,
    Text,
    Number,
    Truth,
}

/// <summary>A value that can be compared: a column's cell, or a constant, whose kind decides where it may stand.</summary>
internal sealed class Operand(OperandKind kind, string content) : Term
{
    public OperandKind Kind => kind;

    /// <summary>The column's name or the constant.</summary>
    public string Content => content;

    /// <summary>The truth value that 'true' or 'false' spell, in any case, or null.</summary>
    public static bool? Truth(string text) =>
        text.Equals("true", StringComparison.OrdinalIgnoreCase) ? true
        : text.Equals("false", StringComparison.OrdinalIgnoreCase) ? false
        : null;

    /// <summary>The value as text; "" for an absent cell.</summary>
    public string Text(CommentRow row) => kind == OperandKind.Column ? row.Text(content) ?? string.Empty : content;

    public override bool Test(CommentRow row) => Evaluate(row) != 0;

    /// <summary>An integer of at most 53 bits, also written like 1.0, or true or false; else an error.</summary>
    public override long Evaluate(CommentRow row)
    {
        const double limit = 1L << 53;
        var text = Text(row);
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)) return integer;
        if (CommentRow.TryParse(text, out var value) && value == Math.Floor(value) && Math.Abs(value) <= limit) return (long)value;
        return Truth(text) is { } truth
            ? truth ? 1 : 0
            : throw Fault(row, "an integer, true or false", "compare it to make a condition, as in: column >= 0.5");
    }

    /// <summary>
    /// Two values compared: as numbers where both are; false where one is a number (or the relation an order) and the other
    /// empty; with true or false as truth values; else by their characters, which have no order.
    /// </summary>
    public bool Meets(string relation, Operand other, CommentRow row)
    {
        var (left, right) = (Text(row), other.Text(row));
        if (kind == OperandKind.Truth || other.Kind == OperandKind.Truth)
        {
            if (left.Length == 0 || right.Length == 0) return false;
            return (TruthIn(row) == other.TruthIn(row)) == (relation == "==");
        }

        var leftIsNumber = CommentRow.TryParse(left, out var leftValue);
        var rightIsNumber = CommentRow.TryParse(right, out var rightValue);
        if (leftIsNumber && rightIsNumber)
        {
            return relation switch
            {
                "==" => leftValue == rightValue,
                "!=" => leftValue != rightValue,
                "<" => leftValue < rightValue,
                "<=" => leftValue <= rightValue,
                ">" => leftValue > rightValue,
                _ => leftValue >= rightValue,
            };
        }

        var isOrder = relation is not ("==" or "!=");
        if ((left.Length == 0 && (rightIsNumber || isOrder)) || (right.Length == 0 && (leftIsNumber || isOrder))) return false;
        if (isOrder) throw (leftIsNumber ? other : this).Fault(row, "a number", "text is not ordered: compare it with == or !=");
        return string.Equals(left, right, StringComparison.Ordinal) == (relation == "==");
    }

    /// <summary>Whether a regular expression matches somewhere in the value.</summary>
    public bool Matches(Regex expression, CommentRow row)
    {
        try
        {
            return expression.IsMatch(Text(row));
        }
        catch (RegexMatchTimeoutException fault)
        {
            throw Fault(
                row, $"an answer of 'matches' within {fault.MatchTimeout.TotalSeconds:0} s", "simplify the pattern; it backtracks");
        }
    }

    private bool TruthIn(CommentRow row)
    {
        var text = Text(row);
        if (Truth(text) is { } truth) return truth;
        return CommentRow.TryParse(text, out var value) && value is 0 or 1
            ? value == 1
            : throw Fault(row, "true, false, 1 or 0", "compare with text in quotes");
    }

    private CheckpointException Fault(CommentRow row, string expected, string remedy)
    {
        var text = Text(row);
        return kind == OperandKind.Column
            ? row.Fault(content, text.Length == 0 ? "an empty cell" : MessageText.Cell(text), expected, remedy)
            : row.Fault(null, $"the constant {MessageText.Cell(text)}", expected, remedy);
    }
}
