using System.Text.RegularExpressions;
using LlmStageAudit.Checkpoints.Tokenization.Files;

namespace LlmStageAudit.Checkpoints.Tokenization.Patterns;

/// <summary>
/// A literal or a regular expression that is searched for in text, code point by code point:
/// {"String": "..."} or {"Regex": "..."} in tokenizer.json.
/// </summary>
internal sealed class TextPattern
{
    /// <summary>A text from here on may take longer: even a pattern that does not backtrack takes time for each character.</summary>
    private const int LongText = 1 << 20;

    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongTimeLimit = TimeSpan.FromSeconds(20);

    private readonly string _where;
    private readonly string? _literal;
    private readonly Regex? _expression;
    private readonly Lazy<Regex>? _patient;

    private TextPattern(string where, string? literal, Regex? expression)
    {
        (_where, _literal, _expression) = (where, literal, expression);
        if (expression is not null) _patient = new Lazy<Regex>(() => new Regex(expression.ToString(), expression.Options, LongTimeLimit));
    }

    public static TextPattern Read(JsonSite site)
    {
        site.RequireOnly("String", "Regex");
        var literal = site.Find("String")?.Text();
        var expression = site.Find("Regex");
        if (literal is null == (expression is null)) throw TokenizerException.Invalid(site.Where, "not one pattern", "'String' or 'Regex'");
        if (literal is { Length: 0 }) throw TokenizerException.Invalid(site.Where, "an empty pattern", "some text");
        return literal is not null
            ? new TextPattern(site.Where, literal, null)
            : new TextPattern(site.Where, null, Compile(expression!.Value));
    }

    /// <summary>The matches from left to right as UTF-16 ranges; they do not overlap.</summary>
    /// <exception cref="TokenizerException">The expression backtracks for longer than the time limit.</exception>
    public List<(int Start, int End)> Matches(string text)
    {
        var matches = new List<(int, int)>();
        if (_literal is not null)
        {
            for (var at = 0; (at = text.IndexOf(_literal, at, StringComparison.Ordinal)) >= 0; at += _literal.Length)
            {
                matches.Add((at, at + _literal.Length));
            }

            return matches;
        }

        var view = CodePointText.Of(text);
        try
        {
            var expression = view.Shown.Length < LongText ? _expression! : _patient!.Value;
            foreach (var match in expression.EnumerateMatches(view.Shown))
            {
                matches.Add((view.Start(match.Index), view.Start(match.Index + match.Length)));
            }
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw TokenizerException.PatternTooSlow(_where, exception.MatchTimeout, exception);
        }

        return matches;
    }

    private static Regex Compile(JsonSite site)
    {
        const int limit = 4096;
        var pattern = site.Text();
        if (pattern.Length > limit) throw TokenizerException.Invalid(site.Where, $"{pattern.Length} characters", $"at most {limit}");
        if (PatternSyntax.FirstForeign(pattern) is { } foreign)
        {
            throw TokenizerException.Unsupported(site.Where, $"{foreign} in a pattern", ["constructs that .NET and Oniguruma read alike"]);
        }

        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, TimeLimit);
        }
        catch (ArgumentException exception)
        {
            throw TokenizerException.Invalid(site.Where, exception.Message, "a regular expression");
        }
    }
}
