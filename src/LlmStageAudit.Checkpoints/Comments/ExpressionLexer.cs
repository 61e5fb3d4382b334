using System.Text.RegularExpressions;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments;

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

/// <summary>Cuts an expression into tokens. Inside quotes, the quote is written twice or after a backslash.</summary>
internal static class ExpressionLexer
{
    private const int LengthLimit = 1 << 14;
    private const string WordCharacter = @"[\p{L}\p{Nd}\p{Cs}_.+-]";
    private const string OddNames = "columns with odd names go in backticks";

    /// <summary>One token, in a group of its kind's name; of a quoted one, the group Quoted has each character.</summary>
    private static readonly Regex Token = new(
        $@"\G\s*(?:(?<Text>{Quoted("'", "'")}|{Quoted("\"", "\"")})|(?<Column>{Quoted("`", "`")}|{Quoted(@"\[", @"\]")})"
        + $@"|(?<Symbol>==|!=|<>|>=|<=|[=<>(),])|(?<Number>(?=[0-9.+-]){WordCharacter}+)|(?<Word>{WordCharacter}+)|(?<End>\z))",
        RegexOptions.CultureInvariant,
        TimeSpan.FromSeconds(10));

    public static List<ExpressionToken> Tokens(string text, string where)
    {
        if (text.Length > LengthLimit) throw ConfigurationException.At(where, $"{text.Length} characters", $"at most {LengthLimit}");
        var tokens = new List<ExpressionToken>();
        for (var at = 0; ;)
        {
            var match = Token.Match(text, at);
            if (!match.Success) throw NoToken(text, at, where);
            at += match.Length;
            var kind = Enum.GetValues<TokenKind>().First(kind => match.Groups[kind.ToString()].Success);
            var group = match.Groups[kind.ToString()];
            var value = kind is TokenKind.Text or TokenKind.Column ? string.Concat(match.Groups["Quoted"].Captures) : group.Value;
            if (kind == TokenKind.Number && !CommentRow.TryParse(value, out _))
            {
                throw ConfigurationException.At(
                    where, $"'{value}' at position {group.Index + 1}", "a number", $"{OddNames}, text in quotes");
            }

            tokens.Add(new ExpressionToken(kind, kind == TokenKind.End ? "the end" : value, group.Index + 1));
            if (kind == TokenKind.End) return tokens;
        }
    }

    private static string Quoted(string open, string close) =>
        $@"{open}(?>(?:\\(?<Quoted>[{close}\\])|{close}(?<Quoted>{close})|(?<Quoted>[^{close}]))*){close}";

    private static ConfigurationException NoToken(string text, int at, string where)
    {
        while (char.IsWhiteSpace(text[at])) at++;
        return text[at] is '\'' or '"' or '`' or '['
            ? ConfigurationException.At(
                where, $"{text[at]} at position {at + 1} is never closed", $"a closing {(text[at] == '[' ? ']' : text[at])}")
            : ConfigurationException.At(where, $"'{text[at]}' at position {at + 1}", "a column, a value or an operator", OddNames);
    }
}
