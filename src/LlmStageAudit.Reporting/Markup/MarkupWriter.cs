using System.Runtime.CompilerServices;
using System.Text;

namespace LlmStageAudit.Reporting.Markup;

/// <summary>
/// Writes HTML and SVG that is well-formed XML too: every element is closed by the writer, every text and attribute value is escaped.
/// Block elements start on a line of their own, so that two pages can be compared line by line.
/// </summary>
internal sealed class MarkupWriter
{
    private readonly StringBuilder text = new();
    private readonly Stack<(string Element, bool HasBlocks)> open = new();

    /// <summary>Opens an element; an attribute whose value is null is left out.</summary>
    public MarkupWriter Open(string element, params (string Name, AttributeText Value)[] attributes)
    {
        StartTag(element, attributes);
        text.Append('>');
        open.Push((element, false));
        return this;
    }

    public MarkupWriter Close()
    {
        var (element, hasBlocks) = open.Pop();
        if (hasBlocks) text.Append('\n');
        text.Append("</").Append(element).Append('>');
        return this;
    }

    public MarkupWriter Text(string value)
    {
        text.Append(MarkupText.Escape(value));
        return this;
    }

    /// <summary>Text with values in it, of which those written <c>{value:strong}</c> stand in an element of that name.</summary>
    public MarkupWriter Text([InterpolatedStringHandlerArgument("")] InlineText written) => this;

    /// <summary>An element that holds text only.</summary>
    public MarkupWriter Element(string element, string value, params (string Name, AttributeText Value)[] attributes) =>
        Open(element, attributes).Text(value).Close();

    /// <summary>An element without content.</summary>
    public MarkupWriter Empty(string element, params (string Name, AttributeText Value)[] attributes)
    {
        StartTag(element, attributes);
        text.Append("/>");
        return this;
    }

    /// <summary>Markup that this room itself wrote; never data.</summary>
    public MarkupWriter Markup(string written)
    {
        NoteBlock();
        text.Append('\n').Append(written);
        return this;
    }

    public override string ToString() => text.ToString();

    private void StartTag(string element, (string Name, AttributeText Value)[] attributes)
    {
        if (element is not ("code" or "small" or "strong"))
        {
            NoteBlock();
            if (text.Length > 0) text.Append('\n');
        }

        text.Append('<').Append(element);
        foreach (var (name, value) in attributes)
        {
            if (value.Text is { } shown) text.Append(' ').Append(name).Append("=\"").Append(MarkupText.Escape(shown)).Append('"');
        }
    }

    private void NoteBlock()
    {
        if (open.Count > 0 && !open.Peek().HasBlocks) open.Push((open.Pop().Element, true));
    }
}

/// <summary>What an attribute says, numbers as coordinates; null where it is left out.</summary>
internal readonly record struct AttributeText(string? Text)
{
    public static implicit operator AttributeText(string? text) => new(text);

    public static implicit operator AttributeText(double? coordinate) =>
        new(coordinate is { } value ? NumberText.Coordinate(value) : null);
}

/// <summary>Writes the parts of an interpolated text to a page as they come.</summary>
[InterpolatedStringHandler]
internal readonly struct InlineText
{
    private readonly MarkupWriter page;

    public InlineText(int literalLength, int formattedCount, MarkupWriter page) => this.page = page;

    public void AppendLiteral(string text) => page.Text(text);

    public void AppendFormatted(string text) => page.Text(text);

    public void AppendFormatted(string text, string format) => page.Element(format, text);
}
