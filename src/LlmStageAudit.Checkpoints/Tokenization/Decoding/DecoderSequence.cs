using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Decoding;

/// <summary>One decoder after the other.</summary>
internal sealed class DecoderSequence(IReadOnlyList<ITokenDecoder> steps) : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) =>
        steps.Aggregate(tokens, static (current, step) => step.Decode(current));
}
