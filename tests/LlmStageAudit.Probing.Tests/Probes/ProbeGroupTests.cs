using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Probing.Tests.Probes;

public sealed class ProbeGroupTests
{
    [Theory]
    [InlineData(UnlabelledPolicy.Exclude, null)]
    [InlineData(UnlabelledPolicy.Background, false)]
    public void A_column_means_membership_from_a_half_on_and_an_empty_cell_is_not_annotated(UnlabelledPolicy policy, bool? absent)
    {
        var group = Read(policy, "0.5", "0.49999", "1", "0", "", " ", "true", "False", "0.7 ", "1e-3", "nan", "None");
        Assert.Equal([true, false, true, false, absent, absent, true, false, true, false, absent, absent], group.Members);
        Assert.Equal([0, 2, 6, 8], group.Subgroup);
        Assert.Equal(policy == UnlabelledPolicy.Exclude ? [1, 3, 7, 9] : [1, 3, 4, 5, 7, 9, 10, 11], group.Background);
    }

    [Theory]
    [InlineData("yes")]
    [InlineData("0,5")]
    public void A_cell_that_says_neither_is_an_error_with_file_and_line(string cell)
    {
        var error = Assert.Throws<ProbeException>(() => Read(UnlabelledPolicy.Exclude, "1", cell));
        Assert.StartsWith($"rows:3: 'grp' holds '{cell}'; expected a number", error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Input, error.Kind);
    }

    [Theory]
    [InlineData(UnlabelledPolicy.Exclude, null)]
    [InlineData(UnlabelledPolicy.Background, false)]
    public void What_is_no_column_is_an_expression_and_empty_cells_are_not_annotated_either(UnlabelledPolicy policy, bool? absent)
    {
        var comments = CommentSet.Of("rows", ["grp"], [["women"], ["men"], [""], ["nan"]]);
        var group = ProbeGroup.Read("grp == 'women'", "probe.yaml", comments.Columns, comments.Rows, policy);
        Assert.Equal([true, false, absent, absent], group.Members);
        Assert.Throws<ConfigurationException>(
            () => ProbeGroup.Read("gpr == 'women'", "probe.yaml", comments.Columns, comments.Rows, policy));
    }

    /// <summary>A column and the condition that spells it out are one group, whatever becomes of rows that nobody annotated.</summary>
    [Theory]
    [InlineData(UnlabelledPolicy.Exclude)]
    [InlineData(UnlabelledPolicy.Background)]
    public void A_column_and_its_condition_are_the_same(UnlabelledPolicy policy)
    {
        var comments = CommentSet.Of("rows", ["grp"], new[] { "1", "0", "", "0.5", "nan", "0.2" }.Select(cell => new[] { cell }));
        var named = new GroupSection("strong", "grp >= 0.5");
        var group = ProbeGroup.Read(named, "probe.yaml", comments.Columns, comments.Rows, policy);
        Assert.Equal("strong", group.Name);
        Assert.Equal(ProbeGroup.Read("grp", "probe.yaml", comments.Columns, comments.Rows, policy).Members, group.Members);
    }

    private static ProbeGroup Read(UnlabelledPolicy policy, params string[] cells)
    {
        var comments = CommentSet.Of("rows", ["grp"], cells.Select(cell => new[] { cell }));
        return ProbeGroup.Read("grp", "probe.yaml", comments.Columns, comments.Rows, policy);
    }
}
