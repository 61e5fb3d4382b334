using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Modeling.Examples;

/// <summary>The examples a data section selects.</summary>
/// <param name="Path">The file.</param>
/// <param name="Examples">In file order.</param>
public sealed record ExampleSet(string Path, IReadOnlyList<EncodedExample> Examples)
{
    /// <summary>What a second label says of each example, where one was asked for.</summary>
    public IReadOnlyList<int>? Targets { get; init; }

    /// <summary>Every column of the file.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>The row of each example with the cells that were to be kept; empty where none were.</summary>
    public IReadOnlyList<CommentRow> Rows { get; init; } = [];

    /// <summary>Why all labels are the same, where the label is a condition and they are; null: nothing to say.</summary>
    public string? LabelRemark { get; init; }

    /// <summary>
    /// What makes the examples other than they may be taken for, as it was seen in reading: rows that were cut, or left out.
    /// </summary>
    public IReadOnlyList<Warning> Warnings { get; init; } = [];
}

/// <summary>One training or probe example as the model sees it.</summary>
/// <param name="Id">From the data set, else the row number.</param>
/// <param name="Ids">Token ids, not empty, special tokens included.</param>
/// <param name="Label">The class; -1 for causal language models.</param>
/// <param name="PromptTokens">Leading tokens a causal language model is not scored on: at least 1.</param>
/// <param name="RowIndex">0-based row of the data set it came from.</param>
public sealed record EncodedExample(string Id, int[] Ids, int Label, int PromptTokens, int RowIndex)
{
    /// <summary>The same for the same tokens: 64 bits of their SHA-256.</summary>
    public ulong TokenHash => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(MemoryMarshal.AsBytes(Ids.AsSpan())));
}
