namespace LlmStageAudit.Checkpoints.Tokenization.PreTokenization;

/// <summary>Cuts normalized text into pieces that are tokenized apart. Appends to <c>pieces</c>, never an empty one.</summary>
internal interface IPreTokenizer
{
    void Cut(string text, List<string> pieces);
}
