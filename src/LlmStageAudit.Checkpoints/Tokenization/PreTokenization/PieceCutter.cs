using LlmStageAudit.Checkpoints.Tokenization.Text;
using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tokenization.PreTokenization;

/// <summary>Cuts normalized text into pieces that are tokenized apart, and may spell them anew.</summary>
internal abstract class PieceCutter : PreTokenizer
{
    /// <summary>This step without its cuts: what it spells anew, it still does.</summary>
    public virtual PieceCutter Uncut => PieceCutterSequence.Empty;

    /// <summary>Appends the pieces of a text, never an empty one.</summary>
    public abstract void Cut(AlignedText text, List<AlignedText> pieces);

    public sealed override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        var pieces = new List<AlignedText>();
        Cut(new AlignedText(WellFormedText.Of(text), tracks: true), pieces);
        return pieces.Select(static piece => piece.Origin(0, piece.Text.Length)).Select(static part => (part.Start, part.End - part.Start));
    }

    public sealed override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());
}
