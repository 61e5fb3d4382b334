using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// A condition on a row, or a label of it, as a configuration states it.
/// <code>
/// or-chain   := and-chain ('or' and-chain)*
/// and-chain  := negation ('and' negation)*
/// negation   := 'not' negation | comparison
/// comparison := operand [relation operand | ['not'] 'in' '(' operand, ... ')' | search]
/// relation   := '==' | '=' | '!=' | '&lt;>' | '>=' | '&lt;=' | '>' | '&lt;'
/// search     := ('contains' | 'matches') ['word'] operand ['ignoring' 'case']
/// operand    := column | `column` | [column] | number | 'text' | "text" | true | false | '(' or-chain ')'
/// </code>
/// Two values that are both numbers compare as numbers, others by their characters, and to order these is an error. What a cell that says
/// nothing is compared with is not known, and 'and', 'or' and 'not' go on from there as in SQL; only == '' and the like ask for such a
/// cell.
/// </summary>
public sealed class RowExpression
{
    private readonly Term _root;

    private RowExpression(ExpressionParser parser) => (_root, ColumnsUsed) = (parser.Parse(), parser.ColumnsUsed);

    /// <summary>The columns that are named, in order of first appearance.</summary>
    public IReadOnlyList<string> ColumnsUsed { get; }

    /// <summary>Parses an expression and finds its columns.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="columns">The columns it may name.</param>
    /// <param name="where">The place of the expression, for messages: a configuration file and key.</param>
    /// <exception cref="ConfigurationException">The expression is not well formed, or names a column that does not exist.</exception>
    public static RowExpression Parse(string text, IReadOnlyList<string> columns, string where) =>
        new(new ExpressionParser(text, columns, where));

    /// <summary>Whether the row meets the condition; a bare column does where its integer is not 0. Null where it cannot be told.</summary>
    /// <exception cref="CheckpointException">A cell the expression has no meaning for.</exception>
    public bool? Test(CommentRow row) => _root.Test(row);

    /// <summary>
    /// A condition's 1 or 0, or a bare column's integer ('true' and 'false' in any case are 1 and 0); null where it cannot be told.
    /// </summary>
    /// <exception cref="CheckpointException">As for <see cref="Test"/>.</exception>
    public long? Evaluate(CommentRow row) => _root.Evaluate(row);
}
