namespace LlmStageAudit.Checkpoints.Tokenization.Text;

/// <summary>A step from tokens back to text: token texts in, pieces of text out; the last step's pieces are joined.</summary>
internal interface ITokenDecoder
{
    IReadOnlyList<string> Decode(IReadOnlyList<string> tokens);
}
