using LlmStageAudit.Checkpoints.Comments;

namespace LlmStageAudit.Modeling.Examples;

/// <summary>The examples a data section selects, with the rows they came from.</summary>
/// <param name="Path">The file.</param>
/// <param name="Examples">In file order.</param>
/// <param name="Comments">The file's rows; EncodedExample.RowIndex points into them.</param>
public sealed record ExampleSet(string Path, IReadOnlyList<EncodedExample> Examples, CommentSet Comments)
{
    /// <summary>What a user should know of the reading: rows that were cut, say.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The row of the file an example of this set was read from.</summary>
    public CommentRow RowOf(EncodedExample example) => Comments.Rows[example.RowIndex];
}

/// <summary>One training or probe example as the model sees it.</summary>
/// <param name="Id">From the data set, else the row number.</param>
/// <param name="Ids">Token ids, not empty, special tokens included.</param>
/// <param name="Label">The class; -1 for causal language models.</param>
/// <param name="PromptTokens">Leading tokens a causal language model is not scored on: at least 1.</param>
/// <param name="RowIndex">0-based row of the data set it came from.</param>
public sealed record EncodedExample(string Id, int[] Ids, int Label, int PromptTokens, int RowIndex);
