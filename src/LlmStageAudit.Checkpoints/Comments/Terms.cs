using System.Text.RegularExpressions;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>A part of an expression: a condition on a row, or a value. Null is what cannot be told, because a cell says nothing.</summary>
internal abstract class Term
{
    public abstract bool? Test(CommentRow row);

    public virtual long? Evaluate(CommentRow row) => Test(row) is { } holds ? holds ? 1 : 0 : null;
}

internal sealed class Condition(Func<CommentRow, bool?> test) : Term
{
    public override bool? Test(CommentRow row) => test(row);

    /// <summary>Of terms of which one decides with a value of its own; else it is not told where one of them is not, as in SQL.</summary>
    public static Condition Chain(IReadOnlyList<Term> terms, bool decisive) => new(row =>
    {
        bool? rest = !decisive;
        foreach (var term in terms)
        {
            var holds = term.Test(row);
            if (holds == decisive) return decisive;
            if (holds is null) rest = null;
        }

        return rest;
    });

    public static Condition Not(Term term) => new(row => !term.Test(row));
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

    /// <summary>Whether this is text that is no number, against which classes are known by their names.</summary>
    private bool IsWords => kind == OperandKind.Text && !CommentRow.TryParse(content, out _);

    /// <summary>The truth value that 'true' or 'false' spell, in any case, or null.</summary>
    public static bool? Truth(string text) =>
        text.Equals("true", StringComparison.OrdinalIgnoreCase) ? true
        : text.Equals("false", StringComparison.OrdinalIgnoreCase) ? false
        : null;

    /// <summary>The value as text; "" for an absent cell.</summary>
    public string Text(CommentRow row) => kind == OperandKind.Column ? row.Text(content) ?? string.Empty : content;

    /// <summary>The value as people write it, the name of a class in place of its number; null for a cell without text.</summary>
    public string? Words(CommentRow row)
    {
        if (kind != OperandKind.Column) return content;
        var words = row.ClassName(content) ?? Text(row);
        return words.Length == 0 ? null : words;
    }

    public override bool? Test(CommentRow row) => Evaluate(row) is { } value ? value != 0 : null;

    /// <summary>
    /// An integer of at most 53 bits, also written like 1.0, or true or false; null where nothing is said; else an error.
    /// </summary>
    public override long? Evaluate(CommentRow row)
    {
        const double limit = 1L << 53;
        var text = Text(row);
        if (kind == OperandKind.Column && MissingCell.Is(text)) return null;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)) return integer;
        var isNumber = CommentRow.TryParse(text, out var value);
        if (isNumber && value == Math.Floor(value) && Math.Abs(value) <= limit) return (long)value;
        return Truth(text) is { } truth
            ? truth ? 1 : 0
            : throw Fault(row, "an integer, true or false", "compare it to make a condition, as in: "
                + (isNumber ? $"{Name} >= 0.5" : $"\"{Name} == '{Shown(text)}'\""));
    }

    /// <summary>
    /// Two values compared: as numbers where both are; with true or false as truth values; else by their characters, which have no order.
    /// Null where a cell says nothing, unless it is compared with the very words that say so, such as ''.
    /// </summary>
    public bool? Meets(string relation, Operand other, CommentRow row)
    {
        var (left, right) = (Text(row), other.Text(row));
        if ((IsMissing(left) && !other.AsksForMissing) || (other.IsMissing(right) && !AsksForMissing)) return null;
        if (kind == OperandKind.Truth || other.Kind == OperandKind.Truth) return (TruthIn(row) == other.TruthIn(row)) == (relation == "==");
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

        if (relation is not ("==" or "!="))
            throw (leftIsNumber ? other : this).Fault(row, "a number", "text is not ordered: compare it with == or !=");
        if (other.IsWords) left = Words(row) ?? left;
        if (IsWords) right = other.Words(row) ?? right;
        return string.Equals(left, right, StringComparison.Ordinal) == (relation == "==");
    }

    /// <summary>Whether a regular expression matches somewhere in the value; null where there is no text.</summary>
    public bool? Matches(Regex expression, CommentRow row)
    {
        try
        {
            return Words(row) is { } words ? expression.IsMatch(words) : null;
        }
        catch (RegexMatchTimeoutException fault)
        {
            throw Fault(
                row, $"an answer of 'matches' within {fault.MatchTimeout.TotalSeconds:0} s", "simplify the pattern; it backtracks");
        }
    }

    /// <summary>Text such as '' or 'nan', compared with which a cell that says nothing is meant itself.</summary>
    private bool AsksForMissing => kind == OperandKind.Text && MissingCell.Is(content);

    private string Name => kind != OperandKind.Column || content.All(char.IsAsciiLetterOrDigit) ? content : $"`{content}`";

    private bool IsMissing(string text) => kind == OperandKind.Column && MissingCell.Is(text);

    private static string Shown(string text) => text.Length <= 40 ? text.Replace("'", "''", StringComparison.Ordinal) : "...";

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
