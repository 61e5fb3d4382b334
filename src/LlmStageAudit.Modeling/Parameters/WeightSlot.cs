namespace LlmStageAudit.Modeling.Parameters;

/// <summary>A linear layer LoRA can be put on.</summary>
/// <param name="Name">Module name as in Hugging Face checkpoints.</param>
/// <param name="In">Input features.</param>
/// <param name="Out">Output features.</param>
/// <param name="HasBias">Whether a bias is added.</param>
internal sealed record LinearModule(string Name, long In, long Out, bool HasBias);

/// <summary>How a weight starts where a model is trained from nothing.</summary>
internal enum WeightInit
{
    Normal,
    Zeros,
    Ones,
}

/// <summary>A weight the architecture has.</summary>
/// <param name="Name">As on disk.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Init">How it starts.</param>
internal sealed record WeightSlot(string Name, IReadOnlyList<long> Shape, WeightInit Init);
