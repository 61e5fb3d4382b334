namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>The first step of encoding: well-formed text to well-formed text.</summary>
internal interface INormalizer
{
    string Normalize(string text);
}
