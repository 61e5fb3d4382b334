namespace LlmStageAudit.Foundation.Errors;

/// <summary>Arguments of commands that a reader will paste into a POSIX shell.</summary>
public static class ShellText
{
    /// <summary>The argument as it is where a shell leaves it alone, else in single quotes.</summary>
    public static string Quote(string argument)
    {
        var isPlain = argument.Length > 0 && argument[0] != '-' && argument.All(IsPlain);
        return isPlain ? argument : "'" + argument.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
    }

    private static bool IsPlain(char character) => char.IsAsciiLetterOrDigit(character) || "_-./:=@+,".Contains(character);
}
