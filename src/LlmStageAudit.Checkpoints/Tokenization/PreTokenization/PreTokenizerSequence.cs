namespace LlmStageAudit.Checkpoints.Tokenization.PreTokenization;

/// <summary>Each step cuts the pieces of the step before; no step leaves the text in one piece.</summary>
internal sealed class PreTokenizerSequence(IReadOnlyList<IPreTokenizer> steps) : IPreTokenizer
{
    public void Cut(string text, List<string> pieces)
    {
        if (text.Length == 0) return;
        List<string> current = [text];
        foreach (var step in steps)
        {
            var next = new List<string>(current.Count);
            foreach (var piece in current) step.Cut(piece, next);
            current = next;
        }

        pieces.AddRange(current);
    }
}
