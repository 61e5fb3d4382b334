using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Comments.Rows;

namespace LlmStageAudit.Modeling.Examples;

/// <summary>The examples a data section selects, with the rows they came from.</summary>
/// <param name="Path">The file.</param>
/// <param name="Examples">In file order.</param>
/// <param name="Comments">The file's rows; EncodedExample.RowIndex points into them.</param>
public sealed record ExampleSet(string Path, IReadOnlyList<EncodedExample> Examples, CommentSet Comments)
{
    public CommentRow RowOf(EncodedExample example) => Comments.Rows[example.RowIndex];
}
