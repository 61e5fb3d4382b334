namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>Asks the file system what it need not answer.</summary>
internal static class Attempt
{
    /// <summary>The answer, or another value where files are absent, closed or cannot be read.</summary>
    public static T Or<T>(T otherwise, Func<T> ask)
    {
        try
        {
            return ask();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return otherwise;
        }
    }
}
