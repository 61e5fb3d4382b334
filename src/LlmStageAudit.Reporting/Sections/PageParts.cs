using LlmStageAudit.Records.Effects;
using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>The few forms that all sections are made of.</summary>
internal static class PageParts
{
    /// <summary>Rows that a table shows; it says what it leaves out.</summary>
    public const int MaximumRows = 200;

    public static void OpenSection(this MarkupWriter page, string id, string heading) =>
        page.Open("section", ("id", id), ("aria-labelledby", id + "-heading")).Element("h2", heading, ("id", id + "-heading"));

    public static void Paragraph(this MarkupWriter page, string text, string? look = null) => page.Element("p", text, ("class", look));

    /// <summary>Commands to paste, one a line.</summary>
    public static void Commands(this MarkupWriter page, params string[] commands) =>
        page.Open("pre", ("class", "commands")).Element("code", string.Join('\n', commands)).Close();

    /// <summary>A chart that can be scrolled sideways on a narrow screen, with a caption.</summary>
    public static void Figure(this MarkupWriter page, string svg, string caption)
    {
        page.Open("figure").Open("div", ("class", "wide")).Markup(svg).Close();
        page.Element("figcaption", caption).Close();
    }

    /// <summary>What an estimate's numbers are means of, and how it was made.</summary>
    public static string HowEstimated(EffectsArtifact effects) =>
        $"Mean over {NumberText.Count(effects.Probe.Examples, "probe row")}; the model as trained scores "
        + $"{NumberText.Value(effects.Observed.Mean)}{MetricText.Suffix(effects.Metric)}. "
        + $"Estimated by {MetricText.Method(effects.Estimator)}; treatment: {effects.Treatment.Kind}.";

    /// <summary>The heading of a column of effects, with their unit.</summary>
    public static string EffectHeading(EffectsArtifact effects) =>
        "#Effect" + (MetricText.UnitOf(effects.Metric) is { Length: > 0 } unit ? $" ({unit})" : string.Empty);

    /// <summary>A table of at most <see cref="MaximumRows"/> rows. A heading '#...' is of a column of numbers, shown without the '#'.</summary>
    public static void Table(this MarkupWriter page, string caption, IReadOnlyList<string> headings, IReadOnlyList<TableCell[]> rows)
    {
        page.Open("div", ("class", "scroll"), ("role", "region"), ("tabindex", "0"), ("aria-label", caption)).Open("table");
        page.Element("caption", caption).Open("thead").Open("tr");
        foreach (var heading in headings)
        {
            page.Element("th", heading.TrimStart('#'), ("scope", "col"), ("class", Look(heading)));
        }

        page.Close().Close().Open("tbody");
        foreach (var row in rows.Take(MaximumRows))
        {
            page.Open("tr");
            for (var column = 0; column < row.Length; column++) WriteCell(page, row[column], headings[column], column == 0);
            page.Close();
        }

        page.Close().Close().Close();
        if (rows.Count <= MaximumRows) return;
        page.Paragraph($"The first {NumberText.Count(MaximumRows)} of {NumberText.Count(rows.Count)} rows are shown.", "quiet");
    }

    private static string? Look(string heading) => heading.StartsWith('#') ? "number" : null;

    private static void WriteCell(MarkupWriter page, TableCell cell, string heading, bool isFirst)
    {
        page.Open(isFirst ? "th" : "td", ("scope", isFirst ? "row" : null), ("class", Look(heading))).Text(cell.Text);
        if (cell.Note is { } note) page.Element("small", note);
        page.Close();
    }
}

/// <summary>Text of a table cell, with a second, quieter line where there is a note.</summary>
internal sealed record TableCell(string Text, string? Note = null)
{
    public static implicit operator TableCell(string text) => new(text);
}
