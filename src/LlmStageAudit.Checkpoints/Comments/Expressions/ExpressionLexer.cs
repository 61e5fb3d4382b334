using System.Globalization;
using System.Text;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments.Expressions;

/// <summary>Cuts an expression into tokens. Inside quotes, the quote is written twice or after a backslash.</summary>
internal static class ExpressionLexer
{
    private const int LengthLimit = 1 << 14;
    private static readonly string[] Symbols = ["==", "!=", "<>", ">=", "<=", "=", ">", "<", "(", ")", ","];

    public static List<ExpressionToken> Tokens(string text, string where)
    {
        if (text.Length > LengthLimit) throw ConfigurationException.At(where, $"{text.Length} characters", $"at most {LengthLimit}");
        var tokens = new List<ExpressionToken>();
        for (var at = 0; at < text.Length;)
        {
            if (char.IsWhiteSpace(text[at])) at++;
            else tokens.Add(Next(text, ref at, where));
        }

        tokens.Add(new ExpressionToken(TokenKind.End, "the end", text.Length + 1));
        return tokens;
    }

    private static ExpressionToken Next(string text, ref int at, string where)
    {
        var start = at;
        switch (text[at])
        {
            case '\'' or '"':
                return new ExpressionToken(TokenKind.Text, Quoted(text, ref at, text[at], where), start + 1);
            case '`':
                return new ExpressionToken(TokenKind.Column, Quoted(text, ref at, '`', where), start + 1);
            case '[':
                return new ExpressionToken(TokenKind.Column, Quoted(text, ref at, ']', where), start + 1);
        }

        foreach (var symbol in Symbols)
        {
            if (!text.AsSpan(at).StartsWith(symbol, StringComparison.Ordinal)) continue;
            at += symbol.Length;
            return new ExpressionToken(TokenKind.Symbol, symbol, start + 1);
        }

        while (at < text.Length && IsWordCharacter(text[at])) at++;
        if (at == start)
        {
            throw ConfigurationException.At(
                where, $"'{text[at]}' at position {start + 1}", "a column, a value or an operator",
                "columns with odd names go in backticks");
        }

        var word = text[start..at];
        if (!char.IsAsciiDigit(word[0]) && word[0] is not ('-' or '+' or '.')) return new ExpressionToken(TokenKind.Word, word, start + 1);
        return double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? new ExpressionToken(TokenKind.Number, word, start + 1)
            : throw ConfigurationException.At(
                where, $"'{word}' at position {start + 1}", "a number", "columns with odd names go in backticks, text in quotes");
    }

    private static bool IsWordCharacter(char character) =>
        char.IsLetterOrDigit(character) || char.IsSurrogate(character) || character is '_' or '.' or '-' or '+';

    private static string Quoted(string text, ref int at, char close, string where)
    {
        var start = at++;
        var quoted = new StringBuilder();
        for (; at < text.Length; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length && (text[at + 1] == close || text[at + 1] == '\\'))
            {
                quoted.Append(text[++at]);
            }
            else if (text[at] != close)
            {
                quoted.Append(text[at]);
            }
            else if (at + 1 < text.Length && text[at + 1] == close)
            {
                quoted.Append(text[++at]);
            }
            else
            {
                at++;
                return quoted.ToString();
            }
        }

        throw ConfigurationException.At(where, $"{text[start]} at position {start + 1} is never closed", $"a closing {close}");
    }
}
