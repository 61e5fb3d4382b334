namespace LlmStageAudit.Reporting.Charts;

/// <summary>One drawing in the making. Its shapes carry class names only; Page.css says what they look like, in light and dark.</summary>
internal sealed class SvgCanvas
{
    private readonly MarkupWriter writer = new();
    private readonly string id;

    /// <summary>Begins a drawing; the id (letters, digits, dashes) is unique in the page: its name and patterns are found by it.</summary>
    public SvgCanvas(string id, double width, double height, string title, string description)
    {
        this.id = id;
        var size = $"0 0 {NumberText.Coordinate(width)} {NumberText.Coordinate(height)}";
        writer.Open(
            "svg", ("xmlns", "http://www.w3.org/2000/svg"), ("class", "chart"), ("role", "img"),
            ("aria-labelledby", $"{id}-title {id}-desc"), ("viewBox", size));
        writer.Element("title", title, ("id", id + "-title"));
        writer.Element("desc", description, ("id", id + "-desc"));
    }

    public void Line(double x1, double y1, double x2, double y2, string look) =>
        writer.Empty("line", ("class", look), ("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2));

    /// <summary>A rectangle with the look's own fill, or filled with one of this drawing's hatch patterns.</summary>
    public void Rectangle(
        double x, double y, double width, double height, string look, double? corner = null, double? opacity = null,
        string? pattern = null) =>
        writer.Empty(
            "rect", ("class", look), ("x", x), ("y", y), ("width", Math.Max(0, width)), ("height", Math.Max(0, height)),
            ("rx", corner), ("fill-opacity", opacity), ("fill", Fill(pattern)));

    /// <summary>Declares slanted lines of a look as patterns of that name.</summary>
    public void HatchPatterns(params string[] looks)
    {
        foreach (var look in looks)
        {
            writer.Open("defs").Open(
                "pattern", ("id", $"{id}-{look}"), ("width", 6), ("height", 6), ("patternUnits", "userSpaceOnUse"),
                ("patternTransform", "rotate(45)"));
            Line(0, 0, 0, 6, look);
            writer.Close().Close();
        }
    }

    public void Circle(double x, double y, double radius, string look) =>
        writer.Empty("circle", ("class", look), ("cx", x), ("cy", y), ("r", radius));

    public void Diamond(double x, double y, double radius, string look) => Path(
        [(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)], look, isClosed: true);

    public void Path(IReadOnlyList<(double X, double Y)> points, string look, bool isClosed = false)
    {
        if (points.Count == 0) return;
        var places = points.Select(point => NumberText.Coordinate(point.X) + " " + NumberText.Coordinate(point.Y));
        writer.Empty("path", ("class", look), ("d", "M" + string.Join(" L", places) + (isClosed ? "Z" : string.Empty)));
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
        writer.Empty("path", ("class", look), ("d", string.Concat(shapes)), ("fill", Fill(pattern)));
    }

    /// <summary>One line, anchored at start, middle or end; a pointer shows the full text where the text is shortened.</summary>
    public void Text(double x, double y, string text, string look, string? anchor = null, string? fullText = null, string? turn = null)
    {
        writer.Open("text", ("class", look), ("x", x), ("y", y), ("text-anchor", anchor), ("transform", turn));
        if (fullText is not null && fullText != text) writer.Element("title", fullText);
        writer.Text(text).Close();
    }

    /// <summary>The finished drawing; nothing can be added to it.</summary>
    public string Finish() => writer.Close().ToString();

    private string? Fill(string? pattern) => pattern is null ? null : $"url(#{id}-{pattern})";
}
