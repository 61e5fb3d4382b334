namespace LlmStageAudit.Checkpoints.Comments.Expressions;

internal enum TokenKind
{
    /// <summary>A bare word: a keyword, true, false or a column.</summary>
    Word,

    /// <summary>A column in backticks or brackets.</summary>
    Column,
    Number,
    Text,

    /// <summary>A relation, a parenthesis or a comma.</summary>
    Symbol,
    End,
}

/// <summary>A piece of an expression's text.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text, without quotes.</param>
/// <param name="Position">Where it starts, from 1.</param>
internal readonly record struct ExpressionToken(TokenKind Kind, string Text, int Position)
{
    public bool IsSymbol(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    public bool IsKeyword(string keyword) => Kind == TokenKind.Word && Text.Equals(keyword, StringComparison.OrdinalIgnoreCase);
}
