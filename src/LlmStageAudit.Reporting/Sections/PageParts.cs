namespace LlmStageAudit.Reporting.Sections;

/// <summary>The few forms that all sections are made of.</summary>
internal static class PageParts
{
    /// <summary>Rows that a table shows; it says what it leaves out.</summary>
    public const int MaximumRows = 200;

    public static void Subheading(this MarkupWriter page, string text, string note) =>
        page.Open("h3").Text(text).Element("small", note).Close();

    public static void Paragraph(this MarkupWriter page, string text, string? look = null) => page.Element("p", text, ("class", look));

    /// <summary>What is missing, and the commands that make it, one a line, to paste.</summary>
    public static void Missing(this MarkupWriter page, string text, params IEnumerable<string> commands)
    {
        page.Paragraph(text);
        page.Commands(commands);
    }

    public static void Commands(this MarkupWriter page, params IEnumerable<string> commands) =>
        page.Open("pre", ("class", "commands")).Element("code", string.Join('\n', commands)).Close();

    /// <summary>Terms and what is said of each, with a quieter line where there is a note.</summary>
    public static void Definitions(this MarkupWriter page, string look, IEnumerable<(string Term, TableCell Cell)> definitions)
    {
        page.Open("dl", ("class", look));
        foreach (var (term, cell) in definitions) page.Open("div").Element("dt", term).Cell("dd", cell).Close();
        page.Close();
    }

    /// <summary>A chart that can be scrolled sideways on a narrow screen, with a caption.</summary>
    public static void Figure(this MarkupWriter page, string svg, string caption)
    {
        page.Open("figure").Open("div", ("class", "wide")).Markup(svg).Close();
        page.Element("figcaption", caption).Close();
    }

    /// <summary>
    /// A table of at most <see cref="MaximumRows"/> rows, the first cell of each its heading. A column '#...' is of numbers, shown without
    /// the '#'.
    /// </summary>
    public static void Table<T>(
        this MarkupWriter page, string caption, IReadOnlyCollection<T> rows, params (string Heading, Func<T, TableCell> Cell)[] columns)
    {
        page.Open("div", ("class", "scroll"), ("role", "region"), ("tabindex", "0"), ("aria-label", caption)).Open("table");
        page.Element("caption", caption).Open("thead").Open("tr");
        foreach (var (heading, _) in columns) page.Element("th", heading.TrimStart('#'), ("scope", "col"), ("class", Look(heading)));
        page.Close().Close().Open("tbody");
        foreach (var row in rows.Take(MaximumRows))
        {
            page.Open("tr");
            foreach (var (index, (heading, cell)) in columns.Index())
            {
                page.Cell(index == 0 ? "th" : "td", cell(row), ("scope", index == 0 ? "row" : null), ("class", Look(heading)));
            }

            page.Close();
        }

        page.Close().Close().Close();
        if (rows.Count <= MaximumRows) return;
        page.Paragraph($"The first {NumberText.Count(MaximumRows)} of {NumberText.Count(rows.Count)} rows are shown.", "quiet");
    }

    private static MarkupWriter Cell(
        this MarkupWriter page, string element, TableCell cell, params (string Name, AttributeText Value)[] attributes)
    {
        page.Open(element, attributes).Text(cell.Text);
        if (cell.Note is { } note) page.Element("small", note);
        return page.Close();
    }

    private static string? Look(string heading) => heading.StartsWith('#') ? "number" : null;
}

/// <summary>Text of a table cell, with a second, quieter line where there is a note.</summary>
internal sealed record TableCell(string Text, string? Note = null)
{
    public static implicit operator TableCell(string text) => new(text);
}
