using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Modeling.Tests.Parameters;

public sealed class ParameterLayoutTests
{
    private static readonly ParameterLayout s_layout =
        new([("a", (IReadOnlyList<long>)[2L, 3L]), ("b", [1L]), ("c", [2L, 1L, 2L])]);

    [Fact]
    public void Slots_follow_one_another_without_gaps()
    {
        Assert.Equal(11, s_layout.Count);
        Assert.Equal([("a", 0L, 6L), ("b", 6L, 1L), ("c", 7L, 4L)], s_layout.Slots.Select(slot => (slot.Name, slot.Offset, slot.Length)));
    }

    [Fact]
    public void Split_gives_row_major_views_of_the_flat_vector()
    {
        using var scope = NewDisposeScope();
        var flat = TensorMemory.Of([.. Enumerable.Range(0, 11).Select(i => (double)i)]);
        var views = s_layout.Split(flat);
        Assert.Equal([[2L, 3L], [1L], [2L, 1L, 2L]], views.Select(view => view.shape));
        Assert.Equal([3.0, 4, 5], views[0].narrow(0, 1, 1).ToArray<double>());
        Assert.Equal([6.0], views[1].ToArray<double>());
        flat.copy_(flat.times(10));
        Assert.Equal([70.0, 80, 90, 100], views[2].ToArray<double>());
    }

    [Fact]
    public void Join_undoes_split_and_copies()
    {
        using var scope = NewDisposeScope();
        var flat = TensorMemory.Of([.. Enumerable.Range(0, 11).Select(i => (double)i)]);
        var joined = s_layout.Join(s_layout.Split(flat));
        Assert.True(flat.Equals(joined));
        flat.copy_(flat.plus(1));
        Assert.Equal(0, joined.ToArray<double>()[0]);
    }

    [Fact]
    public void Join_reads_tensors_that_are_not_contiguous_in_row_major_order()
    {
        using var scope = NewDisposeScope();
        var layout = new ParameterLayout([("a", (IReadOnlyList<long>)[2L, 2L])]);
        var transposed = TensorMemory.Of([1.0, 2, 3, 4], [2, 2]).transpose(0, 1);
        Assert.Equal([1.0, 3, 2, 4], layout.Join([transposed]).ToArray<double>());
    }
}
