using System.Globalization;
using LlmStageAudit.Checkpoints.Comments.Rows;

namespace LlmStageAudit.Checkpoints.Comments.Expressions;

/// <summary>A term with a value that can be compared: a column's cell or a constant.</summary>
internal abstract class Operand : Term
{
    /// <summary>The value as text; "" for an absent cell.</summary>
    public abstract string Text(CommentRow row);

    /// <summary>What a message about this value is about.</summary>
    public abstract CommentSetException Fault(CommentRow row, string expected, string? remedy = null);

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
}

internal sealed class ColumnOperand(string column) : Operand
{
    public override string Text(CommentRow row) => row.Text(column) ?? string.Empty;

    public override CommentSetException Fault(CommentRow row, string expected, string? remedy = null)
    {
        var text = Text(row);
        return CommentSetException.AtCell(
            row, column, text.Length == 0 ? "an empty cell" : CommentSetException.Shown(text), expected, remedy);
    }
}

/// <summary>A constant; <paramref name="kind"/> decides where it may stand.</summary>
internal sealed class ConstantOperand(string text, ConstantKind kind) : Operand
{
    public ConstantKind Kind => kind;

    public string Constant => text;

    public override string Text(CommentRow row) => text;

    public override CommentSetException Fault(CommentRow row, string expected, string? remedy = null) =>
        CommentSetException.AtLine(row.Path, row.Line, $"the constant {CommentSetException.Shown(text)}", expected, remedy);
}

internal enum ConstantKind
{
    Text,
    Number,
    Truth,
}
