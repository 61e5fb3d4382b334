using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Probing.Probes;

/// <summary>What becomes of examples whose identity nobody annotated.</summary>
public enum UnlabelledPolicy
{
    /// <summary>Neither subgroup nor background.</summary>
    Exclude,

    /// <summary>Background, as the public CivilComments kernels have it.</summary>
    Background,
}

/// <summary>A subgroup of a probe: who is in it, who is background, and of whom nothing is known.</summary>
/// <param name="Name">A column, or an expression over columns.</param>
/// <param name="Members">Per probe example: true in the subgroup, false background, null not annotated.</param>
public sealed record ProbeGroup(string Name, IReadOnlyList<bool?> Members)
{
    /// <summary>
    /// Reads membership. A column means membership from 0.5 on, or true; an empty cell is not annotated. Anything else is an
    /// expression such as "group == 'women'".
    /// </summary>
    /// <exception cref="ConfigurationException">Neither a column nor an expression.</exception>
    /// <exception cref="InvalidInputException">A cell that is neither a number nor true or false.</exception>
    public static ProbeGroup Read(string name, string path, CommentSet comments, IEnumerable<CommentRow> rows, UnlabelledPolicy unlabelled)
    {
        if (!comments.Columns.Contains(name))
        {
            var expression = RowExpression.Parse(name, comments.Columns, $"{path}: groups");
            return new ProbeGroup(name, [.. rows.Select(row => (bool?)expression.Test(row))]);
        }

        bool? absent = unlabelled == UnlabelledPolicy.Background ? false : null;
        return new ProbeGroup(name, [.. rows.Select(row => Membership(row, name, path) ?? absent)]);
    }

    /// <summary>Example numbers known to be in it, rising.</summary>
    public IEnumerable<int> Subgroup => Indices(true);

    /// <summary>Example numbers known to be outside it, rising.</summary>
    public IEnumerable<int> Background => Indices(false);

    private static bool? Membership(CommentRow row, string column, string path) => row.Text(column)?.Trim() switch
    {
        null or "" => null,
        var text when bool.TryParse(text, out var flag) => flag,
        var text => row.Value(column) is { } value ? value >= 0.5 : throw ProbeException.NotAMembership(path, row.Line, column, text),
    };

    private IEnumerable<int> Indices(bool wanted) => Enumerable.Range(0, Members.Count).Where(i => Members[i] == wanted);
}
