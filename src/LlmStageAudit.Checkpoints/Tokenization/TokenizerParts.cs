using LlmStageAudit.Checkpoints.Tokenization.AddedTokens;
using LlmStageAudit.Checkpoints.Tokenization.BytePair;
using LlmStageAudit.Checkpoints.Tokenization.Normalization;
using LlmStageAudit.Checkpoints.Tokenization.PostProcessing;
using LlmStageAudit.Checkpoints.Tokenization.PreTokenization;
using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>The steps of one tokenizer.json, in the order text passes them.</summary>
internal sealed record TokenizerParts
{
    public required string Path { get; init; }

    public required IReadOnlyList<AddedToken> AddedTokens { get; init; }

    /// <summary>Null where the file has none.</summary>
    public required AlignedNormalizer? Normalizer { get; init; }

    /// <summary>Null where the file has none.</summary>
    public required PieceCutter? PreTokenizer { get; init; }

    public required BytePairModel Model { get; init; }

    public required SequenceTemplate Template { get; init; }

    public required ITokenDecoder Decoder { get; init; }

    /// <summary>Every token by its id; null where no token has that id.</summary>
    public required string?[] TokenOfId { get; init; }

    /// <summary>The token with an id, or null.</summary>
    public string? TokenOf(int id) => (uint)id < (uint)TokenOfId.Length ? TokenOfId[id] : null;
}
