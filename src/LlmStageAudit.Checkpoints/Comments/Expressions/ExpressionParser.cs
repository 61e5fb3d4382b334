using System.Text.RegularExpressions;
using LlmStageAudit.Checkpoints.Comments.Rows;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments.Expressions;

/// <summary>Recursive descent over the grammar of <see cref="RowExpression"/>.</summary>
internal sealed class ExpressionParser
{
    private const int DepthLimit = 100;
    private static readonly string[] Keywords = ["and", "or", "not", "in", "contains", "matches"];

    private readonly IReadOnlyList<string> _columns;
    private readonly string _where;
    private readonly List<ExpressionToken> _tokens;
    private readonly List<string> _used = [];
    private int _position;
    private int _depth;

    public ExpressionParser(string text, IReadOnlyList<string> columns, string where)
    {
        (_columns, _where) = (columns, where);
        _tokens = ExpressionLexer.Tokens(text, where);
    }

    public IReadOnlyCollection<string> ColumnsUsed => _used;

    private ExpressionToken Next => _tokens[_position];

    public Term Parse()
    {
        if (Next.Kind == TokenKind.End) throw ConfigurationException.At(_where, "an empty expression", "a condition or a column");
        var root = ParseOr();
        if (Next.Kind != TokenKind.End) throw Unexpected("'and', 'or', an operator or the end");
        if (root is ConstantOperand { Kind: ConstantKind.Text })
        {
            throw ConfigurationException.At(_where, "only text", "a condition or a column");
        }
        return root;
    }

    private Term ParseOr()
    {
        var left = ParseAnd();
        while (TakeKeyword("or")) left = new Either(Condition(left), Condition(ParseAnd()));
        return left;
    }

    private Term ParseAnd()
    {
        var left = ParseNegation();
        while (TakeKeyword("and")) left = new Both(Condition(left), Condition(ParseNegation()));
        return left;
    }

    private Term ParseNegation()
    {
        var negations = 0;
        while (TakeKeyword("not")) negations++;
        var inner = ParseComparison();
        if (negations == 0) return inner;
        inner = new Negation(Condition(inner));
        return negations % 2 == 1 ? inner : new Negation(inner);
    }

    private Term ParseComparison()
    {
        var position = Next.Position;
        var left = ParseOperand(onRightSide: false);
        var isNegated = Next.IsKeyword("not") && _tokens[_position + 1].IsKeyword("in");
        if (isNegated) _position++;
        if (TakeKeyword("in"))
        {
            var membership = new Membership(ParseList(Value(left, position)));
            return isNegated ? new Negation(membership) : membership;
        }

        if (TakeKeyword("contains")) return new Containment(Value(left, position), ParseValue());
        if (TakeKeyword("matches")) return new Match(Value(left, position), ParsePattern());
        if (Next.Kind != TokenKind.Symbol || RelationOf(Next.Text) is not { } relation) return left;
        _position++;
        var comparison = Compare(Value(left, position), relation, ParseValue());
        return Next.Kind == TokenKind.Symbol && RelationOf(Next.Text) is not null
            ? throw Unexpected("'and' or 'or': comparisons are not chained")
            : comparison;
    }

    private List<Comparison> ParseList(Operand left)
    {
        if (!TakeSymbol("(")) throw Unexpected("'(' after 'in'");
        var equalities = new List<Comparison>();
        do equalities.Add(Compare(left, Relation.Equal, ParseValue()));
        while (TakeSymbol(","));
        return TakeSymbol(")") ? equalities : throw Unexpected("',' or ')'");
    }

    private Regex ParsePattern()
    {
        var token = Next;
        if (token.Kind != TokenKind.Text) throw Unexpected("a pattern in quotes after 'matches'");
        _position++;
        try
        {
            return new Regex(token.Text, RegexOptions.CultureInvariant, Match.TimeLimit);
        }
        catch (ArgumentException exception)
        {
            throw ConfigurationException.At(
                _where, $"the pattern at position {token.Position}: {exception.Message}", "a regular expression");
        }
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
            if (++_depth > DepthLimit)
            {
                throw ConfigurationException.At(_where, "too many parentheses", $"at most {DepthLimit} inside each other");
            }
            var inner = ParseOr();
            if (!TakeSymbol(")")) throw Unexpected("')'");
            _depth--;
            return inner;
        }

        switch (token.Kind)
        {
            case TokenKind.Number:
                _position++;
                return new ConstantOperand(token.Text, ConstantKind.Number);
            case TokenKind.Text:
                _position++;
                return new ConstantOperand(token.Text, ConstantKind.Text);
            case TokenKind.Column:
                return Column(token, onRightSide: false);
            case TokenKind.Word when !Keywords.Contains(token.Text, StringComparer.OrdinalIgnoreCase):
                if (_columns.Contains(token.Text) || Operand.Truth(token.Text) is not { } truth) return Column(token, onRightSide);
                _position++;
                return new ConstantOperand(truth ? "true" : "false", ConstantKind.Truth);
            default:
                throw Unexpected("a column or a value");
        }
    }

    private ColumnOperand Column(ExpressionToken token, bool onRightSide)
    {
        if (!_columns.Contains(token.Text))
        {
            throw ConfigurationException.At(
                _where,
                $"no column '{token.Text}' (position {token.Position})",
                remedy: onRightSide && Suggestion.Nearest(token.Text, _columns) is null
                    ? $"if it is text, write it in quotes: '{token.Text}'"
                    : onRightSide
                        ? $"{Suggestion.For(token.Text, _columns)} If it is text, write it in quotes: '{token.Text}'"
                        : Suggestion.For(token.Text, _columns));
        }

        _position++;
        if (!_used.Contains(token.Text)) _used.Add(token.Text);
        return new ColumnOperand(token.Text);
    }

    private Comparison Compare(Operand left, Relation relation, Operand right)
    {
        if (relation is Relation.Equal or Relation.Unequal) return new Comparison(left, relation, right);
        foreach (var operand in new[] { left, right })
        {
            if (operand is ConstantOperand constant && !CommentRow.TryParse(constant.Constant, out _))
            {
                throw ConfigurationException.At(
                    _where, $"an order with '{constant.Constant}'", "a number", "text is compared with == or !=");
            }
        }

        return new Comparison(left, relation, right);
    }

    private Operand Value(Term term, int position) =>
        term as Operand ?? throw ConfigurationException.At(_where, $"a condition at position {position}", "a column or a value");

    /// <summary>Refuses text as a condition: it would be neither true nor false.</summary>
    private Term Condition(Term term) =>
        term is ConstantOperand { Kind: ConstantKind.Text } constant
            ? throw ConfigurationException.At(_where, $"the text '{constant.Constant}' as a condition", "a comparison or a column")
            : term;

    private static Relation? RelationOf(string symbol) => symbol switch
    {
        "==" or "=" => Relation.Equal,
        "!=" or "<>" => Relation.Unequal,
        "<" => Relation.Less,
        "<=" => Relation.LessOrEqual,
        ">" => Relation.Greater,
        ">=" => Relation.GreaterOrEqual,
        _ => null,
    };

    private bool TakeKeyword(string keyword)
    {
        if (!Next.IsKeyword(keyword)) return false;
        _position++;
        return true;
    }

    private bool TakeSymbol(string symbol)
    {
        if (!Next.IsSymbol(symbol)) return false;
        _position++;
        return true;
    }

    private ConfigurationException Unexpected(string expected) =>
        ConfigurationException.At(
            _where, $"{(Next.Kind == TokenKind.End ? Next.Text : $"'{Next.Text}'")} at position {Next.Position}", expected);
}
