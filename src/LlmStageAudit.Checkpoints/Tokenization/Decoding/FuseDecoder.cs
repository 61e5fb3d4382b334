using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Decoding;

/// <summary>Joins all pieces into one, so that the steps after it see the whole text.</summary>
internal sealed class FuseDecoder : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => [string.Concat(tokens)];
}
