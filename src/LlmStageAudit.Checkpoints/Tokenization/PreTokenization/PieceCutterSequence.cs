using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.PreTokenization;

/// <summary>Each step cuts the pieces of the step before; no step leaves the text in one piece.</summary>
internal sealed class PieceCutterSequence(IReadOnlyList<PieceCutter> steps) : PieceCutter
{
    public static PieceCutter Empty { get; } = new PieceCutterSequence([]);

    public override PieceCutter Uncut => new PieceCutterSequence(steps.Select(static step => step.Uncut).ToList());

    public override void Cut(AlignedText text, List<AlignedText> pieces)
    {
        if (text.Text.Length == 0) return;
        List<AlignedText> current = [text];
        foreach (var step in steps)
        {
            var next = new List<AlignedText>(current.Count);
            foreach (var piece in current) step.Cut(piece, next);
            current = next;
        }

        pieces.AddRange(current);
    }
}
