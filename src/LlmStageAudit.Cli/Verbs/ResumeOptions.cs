using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>Options of the verbs whose long walks can be gone on with after they broke off.</summary>
internal static class ResumeOptions
{
    private const double SaveEverySeconds = 60;

    private static readonly Option<double?> s_saveEvery = new("--save-every")
    {
        Description = $"Seconds between files that --resume goes on from ({SaveEverySeconds}); 0: after every step",
    };

    public static Option<bool> Resume { get; } = new("--resume")
    {
        Description = "Go on where the same command broke off; the result is the same to the bit",
    };

    public static IReadOnlyList<Symbol> All { get; } = [Resume, s_saveEvery];

    public static TimeSpan SaveInterval(VerbContext context)
    {
        var seconds = context.Get(s_saveEvery) ?? SaveEverySeconds;
        return seconds is >= 0 and <= 86_400
            ? TimeSpan.FromSeconds(seconds)
            : throw ConfigurationException.At("--save-every", $"'{Numbers.Plain(seconds)}'", "seconds from 0 to 86400");
    }
}
