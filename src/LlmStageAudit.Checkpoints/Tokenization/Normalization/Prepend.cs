namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>Puts a prefix before text that is not empty.</summary>
internal sealed class Prepend(string prefix) : INormalizer
{
    public string Normalize(string text) => text.Length == 0 ? text : prefix + text;
}
