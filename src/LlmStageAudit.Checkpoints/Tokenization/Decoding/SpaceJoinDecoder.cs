using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Decoding;

/// <summary>What a tokenizer without a decoder does: tokens with a space between them.</summary>
internal sealed class SpaceJoinDecoder : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => [string.Join(' ', tokens)];
}
