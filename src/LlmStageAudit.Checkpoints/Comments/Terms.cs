using System.Globalization;
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

/// <summary>A value that can be compared: a column's cell or a constant.</summary>
internal abstract class Operand : Term
{
    /// <summary>The value as text; "" for an absent cell.</summary>
    public abstract string Text(CommentRow row);

    /// <summary>What a message about this value is about.</summary>
    public abstract CheckpointException Fault(CommentRow row, string expected, string? remedy = null);

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

    /// <summary>The truth value that 'true' or 'false' spell, in any case, or null.</summary>
    public static bool? Truth(string text) =>
        text.Equals("true", StringComparison.OrdinalIgnoreCase) ? true
        : text.Equals("false", StringComparison.OrdinalIgnoreCase) ? false
        : null;

    /// <summary>Whether a regular expression matches somewhere in the value.</summary>
    public bool Matches(CommentRow row, Regex expression)
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
}

internal sealed class ColumnOperand(string column) : Operand
{
    public override string Text(CommentRow row) => row.Text(column) ?? string.Empty;

    public override CheckpointException Fault(CommentRow row, string expected, string? remedy = null) =>
        row.Fault(column, Text(row) is { Length: > 0 } text ? MessageText.Cell(text) : "an empty cell", expected, remedy);
}

internal enum ConstantKind
{
    Text,
    Number,
    Truth,
}

/// <summary>A constant; <paramref name="kind"/> decides where it may stand.</summary>
internal sealed class ConstantOperand(string text, ConstantKind kind) : Operand
{
    public ConstantKind Kind => kind;

    public string Constant => text;

    public override string Text(CommentRow row) => text;

    public override CheckpointException Fault(CommentRow row, string expected, string? remedy = null) =>
        row.Fault(null, $"the constant {MessageText.Cell(text)}", expected, remedy);
}

/// <summary>
/// Two values compared: as numbers where both are; false where one is a number (or the relation an order) and the other
/// empty; with true or false as truth values; else by their characters, which have no order.
/// </summary>
internal sealed class Comparison(Operand left, string relation, Operand right) : Term
{
    public bool IsOrder => relation is not ("==" or "!=");

    public override bool Test(CommentRow row)
    {
        var (leftText, rightText) = (left.Text(row), right.Text(row));
        if (IsTruth(left) || IsTruth(right))
        {
            if (leftText.Length == 0 || rightText.Length == 0) return false;
            return (TruthOf(left, row) == TruthOf(right, row)) == (relation == "==");
        }

        var leftIsNumber = CommentRow.TryParse(leftText, out var leftValue);
        var rightIsNumber = CommentRow.TryParse(rightText, out var rightValue);
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

        if ((leftText.Length == 0 && (rightIsNumber || IsOrder)) || (rightText.Length == 0 && (leftIsNumber || IsOrder))) return false;
        if (IsOrder) throw (leftIsNumber ? right : left).Fault(row, "a number", "text is not ordered: compare it with == or !=");
        return string.Equals(leftText, rightText, StringComparison.Ordinal) == (relation == "==");
    }

    private static bool IsTruth(Operand operand) => operand is ConstantOperand { Kind: ConstantKind.Truth };

    private static bool TruthOf(Operand operand, CommentRow row)
    {
        var text = operand.Text(row);
        if (Operand.Truth(text) is { } truth) return truth;
        return CommentRow.TryParse(text, out var value) && value is 0 or 1
            ? value == 1
            : throw operand.Fault(row, "true, false, 1 or 0", "compare with text in quotes");
    }
}
