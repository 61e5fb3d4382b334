namespace LlmStageAudit.Checkpoints;

/// <summary>Regular expressions as Python has them.</summary>
internal static class PythonPattern
{
    /// <summary>
    /// Python's expression in .NET's spelling: named groups and references to them; \Z, the very end, where .NET's would let a line end
    /// follow. A possessive quantifier or an option .NET lacks stays, and fails to compile.
    /// </summary>
    public static string Translated(string pattern)
    {
        if (!pattern.Contains("(?P", StringComparison.Ordinal) && !pattern.Contains(@"\Z", StringComparison.Ordinal)) return pattern;
        var text = new StringBuilder(pattern.Length);
        for (var at = 0; at < pattern.Length; at++)
        {
            var rest = pattern.AsSpan(at);
            if (rest.StartsWith(@"\", StringComparison.Ordinal) && rest.Length > 1)
            {
                text.Append(rest[1] == 'Z' ? @"\z" : rest[..2]);
                at++;
            }
            else if (rest.StartsWith("(?P<", StringComparison.Ordinal))
            {
                text.Append("(?<");
                at += 3;
            }
            else if (rest.StartsWith("(?P=", StringComparison.Ordinal) && rest.IndexOf(')') is > 4 and var end)
            {
                text.Append(@"\k<").Append(rest[4..end]).Append('>');
                at += end;
            }
            else
            {
                text.Append(rest[0]);
            }
        }

        return text.ToString();
    }
}
