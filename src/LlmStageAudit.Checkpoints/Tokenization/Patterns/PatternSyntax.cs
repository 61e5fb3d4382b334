namespace LlmStageAudit.Checkpoints.Tokenization.Patterns;

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
