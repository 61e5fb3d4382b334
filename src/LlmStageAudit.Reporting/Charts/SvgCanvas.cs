using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Charts;

/// <summary>
/// One drawing in the making. Its shapes carry class names only; <see cref="ChartStyle"/> says what they look like, in light and dark.
/// </summary>
internal sealed class SvgCanvas
{
    private readonly MarkupWriter writer = new();

    /// <summary>Begins a drawing; the id is unique in the page, for the accessible name and the patterns are found by it.</summary>
    public SvgCanvas(string id, double width, double height, string title, string description)
    {
        Id = id;
        writer.Open(
            "svg",
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("class", "chart"),
            ("role", "img"),
            ("aria-labelledby", $"{id}-title {id}-desc"),
            ("viewBox", $"0 0 {NumberText.Coordinate(width)} {NumberText.Coordinate(height)}"));
        writer.Element("title", title, ("id", id + "-title"));
        writer.Element("desc", description, ("id", id + "-desc"));
    }

    public string Id { get; }

    public void Line(double x1, double y1, double x2, double y2, string look) => writer.Empty(
        "line",
        ("class", look),
        ("x1", NumberText.Coordinate(x1)),
        ("y1", NumberText.Coordinate(y1)),
        ("x2", NumberText.Coordinate(x2)),
        ("y2", NumberText.Coordinate(y2)));

    public void Rectangle(double x, double y, double width, double height, string look, double corner = 0, double? opacity = null) =>
        writer.Empty(
            "rect",
            ("class", look),
            ("x", NumberText.Coordinate(x)),
            ("y", NumberText.Coordinate(y)),
            ("width", NumberText.Coordinate(Math.Max(0, width))),
            ("height", NumberText.Coordinate(Math.Max(0, height))),
            ("rx", corner > 0 ? NumberText.Coordinate(corner) : null),
            ("fill-opacity", opacity is { } share ? NumberText.Coordinate(share) : null));

    /// <summary>A rectangle filled with one of this drawing's hatch patterns.</summary>
    public void Hatched(double x, double y, double width, double height, string pattern, string look) => writer.Empty(
        "rect",
        ("class", look),
        ("x", NumberText.Coordinate(x)),
        ("y", NumberText.Coordinate(y)),
        ("width", NumberText.Coordinate(Math.Max(0, width))),
        ("height", NumberText.Coordinate(Math.Max(0, height))),
        ("fill", $"url(#{Id}-{pattern})"));

    /// <summary>Declares slanted lines as a fill, for <see cref="Hatched"/>.</summary>
    public void HatchPattern(string pattern, string look)
    {
        writer.Open("defs").Open(
            "pattern",
            ("id", $"{Id}-{pattern}"),
            ("width", "6"),
            ("height", "6"),
            ("patternUnits", "userSpaceOnUse"),
            ("patternTransform", "rotate(45)"));
        writer.Empty("line", ("class", look), ("x1", "0"), ("y1", "0"), ("x2", "0"), ("y2", "6"));
        writer.Close().Close();
    }

    public void Circle(double x, double y, double radius, string look) => writer.Empty(
        "circle",
        ("class", look),
        ("cx", NumberText.Coordinate(x)),
        ("cy", NumberText.Coordinate(y)),
        ("r", NumberText.Coordinate(radius)));

    public void Diamond(double x, double y, double radius, string look) => Path(
        [(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)], look, isClosed: true);

    public void Path(IReadOnlyList<(double X, double Y)> points, string look, bool isClosed = false)
    {
        if (points.Count == 0) return;
        var steps = points.Select((point, index) =>
            (index == 0 ? "M" : "L") + NumberText.Coordinate(point.X) + " " + NumberText.Coordinate(point.Y));
        writer.Empty("path", ("class", look), ("d", string.Join(' ', steps) + (isClosed ? "Z" : string.Empty)));
    }

    /// <summary>Many upright bars as one shape: a long run has thousands.</summary>
    /// <param name="bars">Left and right edge, and the heights of both ends.</param>
    /// <param name="look">Class of the shape.</param>
    /// <param name="pattern">One of this drawing's hatch patterns to fill them with; null: the look's own fill.</param>
    public void Bars(IReadOnlyList<(double Left, double Right, double From, double To)> bars, string? look, string? pattern = null)
    {
        if (bars.Count == 0) return;
        var shapes = bars.Select(bar =>
            $"M{NumberText.Coordinate(bar.Left)} {NumberText.Coordinate(bar.From)}V{NumberText.Coordinate(bar.To)}"
            + $"H{NumberText.Coordinate(bar.Right)}V{NumberText.Coordinate(bar.From)}Z");
        writer.Empty(
            "path", ("class", look), ("d", string.Concat(shapes)), ("fill", pattern is null ? null : $"url(#{Id}-{pattern})"));
    }

    /// <summary>One line, anchored at start, middle or end; a pointer shows the full text where the text is shortened.</summary>
    public void Text(double x, double y, string text, string look, string anchor = "start", string? fullText = null, string? turn = null)
    {
        writer.Open(
            "text",
            ("class", look),
            ("x", NumberText.Coordinate(x)),
            ("y", NumberText.Coordinate(y)),
            ("text-anchor", anchor == "start" ? null : anchor),
            ("transform", turn));
        if (fullText is not null && !string.Equals(fullText, text, StringComparison.Ordinal)) writer.Element("title", fullText);
        writer.Text(text).Close();
    }

    /// <summary>The finished drawing; nothing can be added to it.</summary>
    public string Finish() => writer.Close().ToString();
}
