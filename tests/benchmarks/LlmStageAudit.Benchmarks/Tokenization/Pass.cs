namespace LlmStageAudit.Benchmarks.Tokenization;

/// <summary>One pass over all texts.</summary>
/// <param name="Seconds">Wall-clock.</param>
/// <param name="Tokens">Ids of all texts.</param>
/// <param name="Checksum">Of the ids in order: 31 times the sum so far plus the id, in 32 bits.</param>
/// <param name="Versions">Who computed it.</param>
internal sealed record Pass(double Seconds, long Tokens, int Checksum, string Versions = "");
