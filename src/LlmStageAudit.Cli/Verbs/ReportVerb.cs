using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Reporting;

namespace LlmStageAudit.Cli.Verbs;

internal static class ReportVerb
{
    private static readonly Option<string?> s_out =
        new("--out", "-o") { Description = "The HTML file; default: report.html in the run folder" };

    public static Command Build() => Verb.Of(
        "report",
        "Writes one self-contained HTML page about a run: its stages and their effects, predicted against retrained, provenance.",
        ["stageaudit report runs/a", "stageaudit report runs/a -o audit.html"],
        [RunOptions.Run, s_out],
        context =>
        {
            var path = ReportHop.Run(context.Get(RunOptions.Run), context.Get(s_out));
            context.Print(new { Report = path }, () => context.Out.WriteLine(path));
        });
}
