namespace LlmStageAudit.Reporting.Sections;

/// <summary>Text of a table cell, with a second, quieter line where there is a note.</summary>
internal sealed record TableCell(string Text, string? Note = null)
{
    public static implicit operator TableCell(string text) => new(text);
}
