using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;

namespace LlmStageAudit.Probing.Tests.Probes;

public sealed class ProbeGroupTests
{
    [Theory]
    [InlineData(UnlabelledPolicy.Exclude, null)]
    [InlineData(UnlabelledPolicy.Background, false)]
    public void A_column_means_membership_from_a_half_on_and_an_empty_cell_is_not_annotated(UnlabelledPolicy policy, bool? absent)
    {
        var group = Read(policy, "0.5", "0.49999", "1", "0", "", " ", "true", "False", "0.7 ", "1e-3");
        Assert.Equal([true, false, true, false, absent, absent, true, false, true, false], group.Members);
        Assert.Equal([0, 2, 6, 8], group.Subgroup);
        Assert.Equal(policy == UnlabelledPolicy.Exclude ? [1, 3, 7, 9] : [1, 3, 4, 5, 7, 9], group.Background);
    }

    [Theory]
    [InlineData("yes")]
    [InlineData("nan")]
    [InlineData("0,5")]
    public void A_cell_that_says_neither_is_an_error_with_file_and_line(string cell)
    {
        var error = Assert.Throws<ProbeException>(() => Read(UnlabelledPolicy.Exclude, "1", cell));
        Assert.StartsWith($"probe.yaml:3: 'grp' holds '{cell}'; expected a number", error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Input, error.Kind);
    }

    [Fact]
    public void What_is_no_column_is_an_expression()
    {
        var comments = CommentSet.Of("rows", ["grp"], [["women"], ["men"], [""]]);
        var group = ProbeGroup.Read("grp == 'women'", "probe.yaml", comments, comments.Rows, UnlabelledPolicy.Exclude);
        Assert.Equal([true, false, false], group.Members);
        Assert.Throws<ConfigurationException>(
            () => ProbeGroup.Read("gpr == 'women'", "probe.yaml", comments, comments.Rows, UnlabelledPolicy.Exclude));
    }

    private static ProbeGroup Read(UnlabelledPolicy policy, params string[] cells)
    {
        var comments = CommentSet.Of("rows", ["grp"], cells.Select(cell => new[] { cell }));
        return ProbeGroup.Read("grp", "probe.yaml", comments, comments.Rows, policy);
    }
}
