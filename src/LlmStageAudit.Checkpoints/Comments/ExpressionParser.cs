using System.Text.RegularExpressions;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>Recursive descent over the grammar of <see cref="RowExpression"/>.</summary>
internal sealed class ExpressionParser(string text, IReadOnlyList<string> columns, string where)
{
    private const int DepthLimit = 100;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(1);
    private static readonly string[] Keywords = ["and", "or", "not", "in", "contains", "matches"];

    private readonly List<ExpressionToken> _tokens = ExpressionLexer.Tokens(text, where);
    private readonly List<string> _used = [];
    private int _position;
    private int _depth;

    public IReadOnlyList<string> ColumnsUsed => _used;

    private ExpressionToken Next => _tokens[_position];

    public Term Parse()
    {
        if (Next.Kind == TokenKind.End) throw Fault("an empty expression", "a condition or a column");
        var root = ParseOr();
        if (Next.Kind != TokenKind.End) throw Unexpected("'and', 'or', an operator or the end");
        return root is Operand { Kind: OperandKind.Text }
            ? throw Fault("only text", "a condition or a column")
            : root;
    }

    private Term ParseOr()
    {
        var terms = ParseChain("or", ParseAnd);
        return terms is [var only] ? only : Comments.Condition.Chain(terms, decisive: true);
    }

    private Term ParseAnd()
    {
        var terms = ParseChain("and", ParseNegation);
        return terms is [var only] ? only : Comments.Condition.Chain(terms, decisive: false);
    }

    private List<Term> ParseChain(string keyword, Func<Term> parse)
    {
        List<Term> terms = [parse()];
        while (TakeKeyword(keyword))
        {
            _ = Condition(terms[^1]);
            terms.Add(Condition(parse()));
        }

        return terms;
    }

    private Term ParseNegation()
    {
        var negations = 0;
        while (TakeKeyword("not")) negations++;
        var inner = ParseComparison();
        if (negations == 0) return inner;
        inner = Condition(inner);
        return negations % 2 == 0 ? new Condition(inner.Test) : Comments.Condition.Not(inner);
    }

    private Term ParseComparison()
    {
        var position = Next.Position;
        var left = ParseOperand(onRightSide: false);
        var isNegated = Next.IsKeyword("not") && _tokens[_position + 1].IsKeyword("in");
        if (isNegated) _position++;
        if (TakeKeyword("in"))
        {
            var isAny = Comments.Condition.Chain(ParseList(Value(left, position)), decisive: true);
            return isNegated ? Comments.Condition.Not(isAny) : isAny;
        }

        if (TakeKeyword("contains")) return ParseContains(Value(left, position));
        if (TakeKeyword("matches")) return ParseMatches(Value(left, position));
        if (Relation(Next) is not { } relation) return left;
        _position++;
        var comparison = Compare(Value(left, position), relation, ParseValue());
        return Relation(Next) is null ? comparison : throw Unexpected("'and' or 'or': comparisons are not chained");
    }

    private List<Term> ParseList(Operand left)
    {
        if (!TakeSymbol("(")) throw Unexpected("'(' after 'in'");
        var equalities = new List<Term>();
        do equalities.Add(Compare(left, "==", ParseValue()));
        while (TakeSymbol(","));
        return TakeSymbol(")") ? equalities : throw Unexpected("',' or ')'");
    }

    private Condition ParseContains(Operand whole)
    {
        var isWord = TakeWord();
        var part = ParseValue();
        var ignoresCase = TakeIgnoringCase();
        if (isWord) return MatchedBy(whole, Compiled(Regex.Escape(part.Content), isWord, ignoresCase));
        var comparison = ignoresCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return new Condition(row =>
            whole.Words(row) is { } words && part.Words(row) is { } sought ? words.Contains(sought, comparison) : null);
    }

    private Condition ParseMatches(Operand value)
    {
        var isWord = TakeWord();
        var token = Next;
        if (token.Kind != TokenKind.Text) throw Unexpected("a pattern in quotes after 'matches'");
        _position++;
        var ignoresCase = TakeIgnoringCase();
        try
        {
            return MatchedBy(value, Compiled(token.Text, isWord, ignoresCase));
        }
        catch (ArgumentException exception)
        {
            throw Fault($"the pattern at position {token.Position}: {exception.Message}", "a regular expression");
        }
    }

    private static Condition MatchedBy(Operand value, Regex pattern) => new(row => value.Matches(pattern, row));

    private static Regex Compiled(string pattern, bool isWord, bool ignoresCase)
    {
        // By itself first: a parenthesis too many would close the one that is put around it.
        var python = PythonPattern.Translated(pattern);
        var options = RegexOptions.CultureInvariant | (ignoresCase ? RegexOptions.IgnoreCase : RegexOptions.None);
        var alone = new Regex(python, options, TimeLimit);
        return isWord ? new Regex($@"(?<!\w)(?:{python})(?!\w)", options, TimeLimit) : alone;
    }

    /// <summary>'word' before text in quotes: not as a part of a longer word.</summary>
    private bool TakeWord() => Take(Next.IsKeyword("word") && _tokens[_position + 1].Kind == TokenKind.Text);

    private bool TakeIgnoringCase()
    {
        if (!TakeKeyword("ignoring")) return false;
        return TakeKeyword("case") ? true : throw Unexpected("'case' after 'ignoring'");
    }

    private Operand ParseValue()
    {
        var position = Next.Position;
        return Value(ParseOperand(onRightSide: true), position);
    }

    private Term ParseOperand(bool onRightSide)
    {
        var token = Next;
        if (TakeSymbol("("))
        {
            if (++_depth > DepthLimit) throw Fault("too many parentheses", $"at most {DepthLimit} inside each other");
            var inner = ParseOr();
            if (!TakeSymbol(")")) throw Unexpected("')'");
            _depth--;
            return inner;
        }

        var operand = token.Kind switch
        {
            TokenKind.Number => new Operand(OperandKind.Number, token.Text),
            TokenKind.Text => new Operand(OperandKind.Text, token.Text),
            TokenKind.Column => Column(token, onRightSide: false),
            TokenKind.Word when !Keywords.Contains(token.Text, StringComparer.OrdinalIgnoreCase) =>
                !columns.Contains(token.Text) && Operand.Truth(token.Text) is { } truth
                    ? new Operand(OperandKind.Truth, truth ? "true" : "false")
                    : Column(token, onRightSide),
            _ => throw Unexpected("a column or a value"),
        };
        _position++;
        return operand;
    }

    private Operand Column(ExpressionToken token, bool onRightSide)
    {
        if (!columns.Contains(token.Text))
        {
            var quotes = $"it is text, write it in quotes: '{token.Text}'";
            throw Fault($"no column '{token.Text}' (position {token.Position})",
                remedy: !onRightSide ? Suggestion.For(token.Text, columns)
                    : Suggestion.Nearest(token.Text, columns) is null ? $"if {quotes}"
                    : $"{Suggestion.For(token.Text, columns)} If {quotes}");
        }

        if (!_used.Contains(token.Text)) _used.Add(token.Text);
        return new Operand(OperandKind.Column, token.Text);
    }

    private Condition Compare(Operand left, string relation, Operand right)
    {
        var unordered = new[] { left, right }.FirstOrDefault(operand =>
            operand.Kind != OperandKind.Column && !CommentRow.TryParse(operand.Content, out _));
        return unordered is null || relation is "==" or "!="
            ? new Condition(row => left.Meets(relation, right, row))
            : throw Fault($"an order with '{unordered.Content}'", "a number", "text is compared with == or !=");
    }

    private Operand Value(Term term, int position) =>
        term as Operand ?? throw Fault($"a condition at position {position}", "a column or a value");

    /// <summary>Refuses text as a condition: it would be neither true nor false.</summary>
    private Term Condition(Term term) =>
        term is Operand { Kind: OperandKind.Text } constant
            ? throw Fault($"the text '{constant.Content}' as a condition", "a comparison or a column")
            : term;

    /// <summary>The relation a token stands for, in one spelling, or null.</summary>
    private static string? Relation(ExpressionToken token) => token.Kind != TokenKind.Symbol ? null : token.Text switch
    {
        "=" => "==",
        "<>" => "!=",
        "(" or ")" or "," => null,
        var relation => relation,
    };

    private bool TakeKeyword(string keyword) => Take(Next.IsKeyword(keyword));

    private bool TakeSymbol(string symbol) => Take(Next.IsSymbol(symbol));

    private bool Take(bool isNext)
    {
        if (isNext) _position++;
        return isNext;
    }

    private ConfigurationException Fault(string found, string? expected = null, string? remedy = null) =>
        ConfigurationException.At(where, found, expected, remedy);

    private ConfigurationException Unexpected(string expected) =>
        Fault($"{(Next.Kind == TokenKind.End ? Next.Text : $"'{Next.Text}'")} at position {Next.Position}", expected);
}
