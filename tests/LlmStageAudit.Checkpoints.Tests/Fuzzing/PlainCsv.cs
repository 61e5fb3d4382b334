using System.Text;

namespace LlmStageAudit.Checkpoints.Tests.Fuzzing;

/// <summary>
/// A parser of CSV that is plain enough to be seen to be right: RFC 4180 character by character, with line ends of any kind, lines with
/// nothing in them passed over, and a quote inside an unquoted field as an ordinary character.
/// </summary>
internal static class PlainCsv
{
    /// <summary>The records with the lines they begin on; null where a quote is never closed or text follows a closed one.</summary>
    public static List<(int Line, string[] Fields)>? Rows(string text, char delimiter)
    {
        var rows = new List<(int, string[])>();
        var (at, line) = (text.StartsWith('\uFEFF') ? 1 : 0, 1);
        while (at < text.Length)
        {
            if (TakeLineEnd()) continue;
            var (first, fields) = (line, new List<string>());
            while (true)
            {
                if (Field() is not { } field) return null;
                fields.Add(field);
                if (at < text.Length && text[at] == delimiter) at++;
                else if (at == text.Length || TakeLineEnd()) break;
                else return null;
            }

            rows.Add((first, [.. fields]));
        }

        return rows;

        bool TakeLineEnd()
        {
            if (text[at] is not ('\r' or '\n')) return false;
            at += text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n' ? 2 : 1;
            line++;
            return true;
        }

        string? Field()
        {
            var field = new StringBuilder();
            if (at == text.Length || text[at] != '"')
            {
                while (at < text.Length && text[at] != delimiter && text[at] is not ('\r' or '\n')) field.Append(text[at++]);
                return field.ToString();
            }

            for (at++; at < text.Length;)
            {
                if (text[at] == '"')
                {
                    if (at + 1 == text.Length || text[at + 1] != '"')
                    {
                        at++;
                        return field.ToString();
                    }

                    at++;
                    field.Append('"');
                    at++;
                    continue;
                }

                if (text[at] is '\r' or '\n')
                {
                    var from = at;
                    TakeLineEnd();
                    field.Append(text, from, at - from);
                    continue;
                }

                field.Append(text[at++]);
            }

            return null;
        }
    }
}
