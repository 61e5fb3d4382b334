namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>Splits at the matches of a pattern the way Hugging Face's split behaviours do; inverted, at what lies between them.</summary>
internal sealed class PatternSplit(TextPattern pattern, SplitBehavior behavior, bool invert) : PieceCutter
{
    public override void Cut(AlignedText text, List<AlignedText> pieces)
    {
        var (start, end, endsInMatch) = (0, 0, false);
        foreach (var (nextEnd, isMatch) in Parts(text.Text))
        {
            if (!Joins(endsInMatch, isMatch)) Flush();
            (end, endsInMatch) = (nextEnd, isMatch);
        }

        Flush();

        void Flush()
        {
            if (end > start && !(behavior == SplitBehavior.Removed && endsInMatch)) pieces.Add(text.Slice(start, end));
            start = end;
        }
    }

    /// <summary>The ends of the parts that matches cut a text into.</summary>
    private IEnumerable<(int End, bool IsMatch)> Parts(string text)
    {
        var position = 0;
        foreach (var (start, end) in pattern.Matches(text))
        {
            if (start > position) yield return (start, invert);
            yield return (end, !invert);
            position = end;
        }

        if (position < text.Length) yield return (text.Length, invert);
    }

    private bool Joins(bool isMatch, bool nextIsMatch) => behavior switch
    {
        SplitBehavior.MergedWithPrevious => !isMatch && nextIsMatch,
        SplitBehavior.MergedWithNext => isMatch && !nextIsMatch,
        SplitBehavior.Contiguous => isMatch == nextIsMatch,
        _ => false,
    };
}

/// <summary>What becomes of the matches a text is split at.</summary>
internal enum SplitBehavior
{
    /// <summary>Matches are dropped.</summary>
    Removed,

    /// <summary>Each match is a piece of its own.</summary>
    Isolated,

    /// <summary>A match joins the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>A match joins the piece after it.</summary>
    MergedWithNext,

    /// <summary>Adjoining matches are one piece.</summary>
    Contiguous,
}
