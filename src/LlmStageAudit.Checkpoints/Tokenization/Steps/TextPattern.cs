using System.Text.RegularExpressions;

namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>
/// A literal or a regular expression that is searched for in text, code point by code point:
/// {"String": "..."} or {"Regex": "..."} in tokenizer.json.
/// </summary>
internal sealed class TextPattern(string where, string? literal, Regex? expression)
{
    /// <summary>A text from here on may take longer: even a pattern that does not backtrack takes time for each character.</summary>
    private const int LongText = 1 << 20;

    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongTimeLimit = TimeSpan.FromSeconds(20);

    public static TextPattern Read(JsonSite site)
    {
        site.Only("String", "Regex");
        var literal = site.Find("String")?.Text();
        var expression = site.Find("Regex");
        if (literal is null == (expression is null)) throw site.Fault("not one pattern", "'String' or 'Regex'");
        if (literal is { Length: 0 }) throw site.Fault("an empty pattern", "some text");
        return new TextPattern(site.Where, literal, expression is { } given ? Compile(given) : null);
    }

    /// <summary>Characters of the categories Nd, Nl and No.</summary>
    public static TextPattern Number(string where) => new(where, null, new Regex(@"\p{N}", RegexOptions.CultureInvariant, TimeLimit));

    /// <summary>The matches from left to right as UTF-16 ranges; they do not overlap.</summary>
    /// <exception cref="CheckpointException">The expression backtracks for longer than the time limit.</exception>
    public List<(int Start, int End)> Matches(string text)
    {
        var matches = new List<(int, int)>();
        if (literal is not null)
        {
            for (var at = 0; (at = text.IndexOf(literal, at, StringComparison.Ordinal)) >= 0; at += literal.Length)
            {
                matches.Add((at, at + literal.Length));
            }

            return matches;
        }

        var view = new CodePointText(text);
        try
        {
            var patient = view.Shown.Length < LongText ? expression! : new Regex(expression!.ToString(), expression.Options, LongTimeLimit);
            foreach (var match in patient.EnumerateMatches(view.Shown))
            {
                matches.Add((view.Start(match.Index), view.Start(match.Index + match.Length)));
            }
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw CheckpointException.At(where, $"the pattern took more than {exception.MatchTimeout.TotalSeconds:0} s on one text",
                "a pattern that does not backtrack", inner: exception);
        }

        return matches;
    }

    private static Regex Compile(JsonSite site)
    {
        const int limit = 4096;
        var pattern = site.Text();
        if (pattern.Length > limit) throw site.Fault($"{pattern.Length} characters", $"at most {limit}");
        if (PatternSyntax.FirstForeign(pattern) is { } foreign)
            throw site.Unsupported($"{foreign} in a pattern", "constructs that .NET and Oniguruma read alike");

        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, TimeLimit);
        }
        catch (ArgumentException exception)
        {
            throw site.Fault(exception.Message, "a regular expression");
        }
    }
}

/// <summary>
/// The part of the regular-expression language that .NET and Oniguruma (which Hugging Face uses, in Ruby syntax) read
/// alike. What the two read differently is refused: `^` and `$` (lines or text), `\w` and `\b` (marks), sets inside sets,
/// inline options other than `i`.
/// </summary>
internal static class PatternSyntax
{
    private const string LettersAfterBackslash = "pPsSdDrntfvux";
    private static readonly string[] Groups = ["?:", "?i:", "?=", "?!", "?<=", "?<!", "?>"];

    /// <summary>The first construct outside the common part, or null.</summary>
    public static string? FirstForeign(string pattern)
    {
        var inSet = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var character = pattern[i];
            if (char.IsSurrogate(character)) return "a character beyond U+FFFF";
            if (character == '\\')
            {
                if (++i == pattern.Length) return "a lone backslash";
                if (char.IsAsciiLetterOrDigit(pattern[i]) && !LettersAfterBackslash.Contains(pattern[i])) return $"'\\{pattern[i]}'";
            }
            else if (inSet)
            {
                if (character == '[') return "a set inside a set";
                if (character == '&' && i + 1 < pattern.Length && pattern[i + 1] == '&') return "'&&' inside a set";
                inSet = character != ']';
            }
            else if (character == '[')
            {
                inSet = true;
                if (i + 1 < pattern.Length && pattern[i + 1] == '^') i++;
                if (i + 1 < pattern.Length && pattern[i + 1] == ']') return "']' first in a set";
            }
            else if (character is '^' or '$')
            {
                return $"'{character}'";
            }
            else if (character == '(' && i + 1 < pattern.Length && pattern[i + 1] == '?')
            {
                var rest = pattern.AsSpan(i + 1);
                var known = false;
                foreach (var group in Groups) known |= rest.StartsWith(group, StringComparison.Ordinal);
                if (!known) return $"the group '({rest[..Math.Min(3, rest.Length)]}'";
            }
        }

        return null;
    }
}
