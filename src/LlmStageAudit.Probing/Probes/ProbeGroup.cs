using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;

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
/// <param name="Name">A column, an expression over columns, or the name it was given.</param>
/// <param name="Members">Per probe example: true in the subgroup, false background, null not annotated.</param>
public sealed record ProbeGroup(string Name, IReadOnlyList<bool?> Members)
{
    /// <summary>
    /// Reads membership. A column means membership from 0.5 on, or true; anything else is an expression such as "group == 'women'". Either
    /// way a row whose cell says nothing is not annotated.
    /// </summary>
    /// <exception cref="ConfigurationException">Neither a column nor an expression.</exception>
    /// <exception cref="InvalidInputException">A cell that is neither a number nor true or false.</exception>
    public static ProbeGroup Read(
        GroupSection group, string path, IReadOnlyList<string> columns, IEnumerable<CommentRow> rows, UnlabelledPolicy unlabelled)
    {
        var (_, membership) = Parse(group, path, columns);
        bool? absent = unlabelled == UnlabelledPolicy.Background ? false : null;
        return new ProbeGroup(group.Name, [.. rows.Select(row => membership(row) ?? absent)]);
    }

    /// <summary>The columns a group is told by.</summary>
    /// <exception cref="ConfigurationException">As for <see cref="Read"/>.</exception>
    internal static IEnumerable<string> ColumnsOf(GroupSection group, string path, IReadOnlyList<string> columns) =>
        Parse(group, path, columns).Columns;

    /// <summary>Example numbers known to be in it, rising.</summary>
    public IEnumerable<int> Subgroup => Indices(true);

    /// <summary>Example numbers known to be outside it, rising.</summary>
    public IEnumerable<int> Background => Indices(false);

    private static (IEnumerable<string> Columns, Func<CommentRow, bool?> Membership) Parse(
        GroupSection group, string path, IReadOnlyList<string> columns)
    {
        if (columns.Contains(group.Where)) return ([group.Where], row => Membership(row, group.Where));
        var expression = RowExpression.Parse(group.Where, columns, $"{path}: groups");
        return (expression.ColumnsUsed, expression.Test);
    }

    private static bool? Membership(CommentRow row, string column) =>
        row.IsMissing(column) ? null
        : bool.TryParse(row.Text(column)!.Trim(), out var flag) ? flag
        : row.Value(column) is { } value ? value >= 0.5
        : throw ProbeException.NotAMembership(row.Where, column, row.Text(column)!.Trim());

    private IEnumerable<int> Indices(bool wanted) => Enumerable.Range(0, Members.Count).Where(i => Members[i] == wanted);
}
