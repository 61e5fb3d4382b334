using System.Text;
using LlmStageAudit.Reporting.Sections;

namespace LlmStageAudit.Reporting;

/// <summary>
/// An audit as one self-contained HTML page: question, answer, stages, trust, verification, groups, training, limits, provenance. It
/// runs no script and asks for nothing over a network, which its own content security policy enforces. The page is well-formed XML after
/// its first line. Its colours follow the reader's light or dark preference; raised is vermilion and lowered is blue, which red-green and
/// blue-yellow blindness both keep apart.
/// </summary>
internal static class HtmlReport
{
    private const string SecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

    // Those that write nothing are left out.
    private static readonly (string Id, string Heading, Action<MarkupWriter, AuditFindings> Write)[] Sections =
    [
        ("question", "Question", QuestionSection.Write),
        ("answer", "Answer", AnswerSection.Write),
        ("stages", "Which stages did it", StagesSection.Write),
        ("trust", "How far to trust it", TrustSection.Write),
        ("verification", "Was it verified?", VerificationSection.Write),
        ("groups", "What it changed for each group", GroupsSection.Write),
        ("training", "How it was trained", TrainingSection.Write),
        ("limits", "How to read these numbers", LimitsSection.Write),
        ("provenance", "Where it comes from", ProvenanceSection.Write),
    ];

    /// <summary>The whole page. The same inputs make the same text, under every culture; every datum in it is escaped.</summary>
    public static string Render(ReportInputs inputs)
    {
        var findings = new AuditFindings(inputs);
        var title = TitleOf(inputs);
        var page = new MarkupWriter();
        page.Open("html", ("lang", "en"));
        WriteHead(page, title);
        page.Open("body").Open("main");
        page.Open("header").Element("p", "Stage audit", ("class", "eyebrow")).Element("h1", title);
        page.Element("p", $"Run {inputs.Run.RunId}, made {NumberText.Instant(inputs.Run.CreatedUtc)}", ("class", "byline")).Close();
        foreach (var (id, heading, write) in Sections)
        {
            var body = new MarkupWriter();
            write(body, findings);
            if (body.ToString() is not { Length: > 0 } content) continue;
            page.Open("section", ("id", id), ("aria-labelledby", id + "-heading"));
            page.Element("h2", heading, ("id", id + "-heading")).Markup(content).Close();
        }

        page.Element("footer", "The page’s numbers are also in its source, as JSON under report-data.");
        page.Close();
        page.Open("script", ("type", "application/json"), ("id", "report-data")).Markup(EmbeddedNumbers.Serialize(findings)).Close();
        page.Close().Close();
        return "<!DOCTYPE html>\n" + page + "\n";
    }

    private static string TitleOf(ReportInputs inputs)
    {
        const int NamedStages = 4;
        var stages = inputs.Run.Configuration.Stages;
        var names = string.Join(", ", stages.Take(NamedStages).Select(stage => stage.Name));
        return stages.Count > NamedStages ? $"{names} and {NumberText.Count(stages.Count - NamedStages)} more" : names;
    }

    private static void WriteHead(MarkupWriter page, string title)
    {
        page.Open("head").Empty("meta", ("charset", "utf-8"));
        page.Empty("meta", ("http-equiv", "Content-Security-Policy"), ("content", SecurityPolicy));
        page.Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
        page.Empty("meta", ("name", "referrer"), ("content", "no-referrer"));
        page.Element("title", title + " · stage audit");
        page.Open("style").Markup(ReadStyle()).Close().Close();
    }

    private static string ReadStyle()
    {
        using var style = typeof(HtmlReport).Assembly.GetManifestResourceStream("Page.css")!;
        var bytes = new byte[style.Length];
        style.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes).TrimEnd();
    }
}
