using System.Text.RegularExpressions;
using LlmStageAudit.Checkpoints.Comments.Rows;

namespace LlmStageAudit.Checkpoints.Comments.Expressions;

internal enum Relation
{
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>
/// Two values compared: as numbers where both are; false where one is a number (or the relation an order) and the other
/// empty; with true or false as truth values; else by their characters, which have no order.
/// </summary>
internal sealed class Comparison(Operand left, Relation relation, Operand right) : Term
{
    public override bool Test(CommentRow row)
    {
        if (IsTruth(left) || IsTruth(right)) return TestTruth(row);
        var (leftText, rightText) = (left.Text(row), right.Text(row));
        var leftIsNumber = CommentRow.TryParse(leftText, out var leftValue);
        var rightIsNumber = CommentRow.TryParse(rightText, out var rightValue);
        if (leftIsNumber && rightIsNumber)
        {
            return relation switch
            {
                Relation.Equal => leftValue == rightValue,
                Relation.Unequal => leftValue != rightValue,
                Relation.Less => leftValue < rightValue,
                Relation.LessOrEqual => leftValue <= rightValue,
                Relation.Greater => leftValue > rightValue,
                _ => leftValue >= rightValue,
            };
        }

        var isOrder = relation is not (Relation.Equal or Relation.Unequal);
        if ((leftText.Length == 0 && (rightIsNumber || isOrder)) || (rightText.Length == 0 && (leftIsNumber || isOrder))) return false;
        if (isOrder) throw (leftIsNumber ? right : left).Fault(row, "a number", "text is not ordered: compare it with == or !=");
        return string.Equals(leftText, rightText, StringComparison.Ordinal) == (relation == Relation.Equal);
    }

    private static bool IsTruth(Operand operand) => operand is ConstantOperand { Kind: ConstantKind.Truth };

    private bool TestTruth(CommentRow row)
    {
        if (left.Text(row).Length == 0 || right.Text(row).Length == 0) return false;
        return (TruthOf(left, row) == TruthOf(right, row)) == (relation == Relation.Equal);
    }

    private static bool TruthOf(Operand operand, CommentRow row)
    {
        var text = operand.Text(row);
        if (Operand.Truth(text) is { } truth) return truth;
        return CommentRow.TryParse(text, out var value) && value is 0 or 1
            ? value == 1
            : throw operand.Fault(row, "true, false, 1 or 0", "compare with text in quotes");
    }
}

/// <summary>Whether a value equals one of several.</summary>
internal sealed class Membership(IReadOnlyList<Comparison> equalities) : Term
{
    public override bool Test(CommentRow row)
    {
        foreach (var equality in equalities)
        {
            if (equality.Test(row)) return true;
        }

        return false;
    }
}

/// <summary>Whether a value holds another, character by character.</summary>
internal sealed class Containment(Operand whole, Operand part) : Term
{
    public override bool Test(CommentRow row) => whole.Text(row).Contains(part.Text(row), StringComparison.Ordinal);
}

/// <summary>Whether a regular expression matches somewhere in a value.</summary>
internal sealed class Match(Operand operand, Regex expression) : Term
{
    public static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(1);

    public override bool Test(CommentRow row)
    {
        try
        {
            return expression.IsMatch(operand.Text(row));
        }
        catch (RegexMatchTimeoutException)
        {
            throw operand.Fault(row, $"an answer of 'matches' within {TimeLimit.TotalSeconds:0} s", "simplify the pattern; it backtracks");
        }
    }
}
