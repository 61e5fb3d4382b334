namespace LlmStageAudit.Modeling.Examples;

/// <summary>One training or probe example as the model sees it.</summary>
/// <param name="Id">From the data set, else the row number.</param>
/// <param name="Ids">Token ids, not empty, special tokens included.</param>
/// <param name="Label">The class; -1 for causal language models.</param>
/// <param name="PromptTokens">Leading tokens a causal language model is not scored on: at least 1.</param>
/// <param name="RowIndex">0-based row of the data set it came from.</param>
public sealed record EncodedExample(string Id, int[] Ids, int Label, int PromptTokens, int RowIndex);
