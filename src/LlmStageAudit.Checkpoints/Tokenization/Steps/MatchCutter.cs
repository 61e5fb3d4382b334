using System.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>Cuts text at matches the way Hugging Face's split behaviours do.</summary>
internal static class MatchCutter
{
    private readonly record struct Part(int Start, int End, bool IsMatch);

    public static void Cut(
        AlignedText text, IEnumerable<(int Start, int End)> matches, SplitBehavior behavior, bool invert, List<AlignedText> pieces)
    {
        foreach (var part in Join(Parts(text.Text.Length, matches, invert), behavior))
        {
            if (part.End > part.Start) pieces.Add(text.Slice(part.Start, part.End));
        }
    }

    private static List<Part> Parts(int length, IEnumerable<(int Start, int End)> matches, bool invert)
    {
        var parts = new List<Part>();
        var position = 0;
        foreach (var (start, end) in matches)
        {
            if (start > position) parts.Add(new Part(position, start, invert));
            parts.Add(new Part(start, end, !invert));
            position = end;
        }

        if (position < length) parts.Add(new Part(position, length, invert));
        return parts;
    }

    private static List<Part> Join(List<Part> parts, SplitBehavior behavior)
    {
        switch (behavior)
        {
            case SplitBehavior.Removed:
                return parts.Where(part => !part.IsMatch).ToList();
            case SplitBehavior.Isolated:
                return parts;
            case SplitBehavior.MergedWithNext:
                parts.Reverse();
                var joined = Fold(parts, static (part, previousIsMatch) => part.IsMatch && !previousIsMatch);
                joined.Reverse();
                return joined;
            case SplitBehavior.MergedWithPrevious:
                return Fold(parts, static (part, previousIsMatch) => part.IsMatch && !previousIsMatch);
            default:
                return Fold(parts, static (part, previousIsMatch) => part.IsMatch == previousIsMatch);
        }
    }

    private static List<Part> Fold(List<Part> parts, Func<Part, bool, bool> joins)
    {
        var folded = new List<Part>(parts.Count);
        var previousIsMatch = false;
        foreach (var part in parts)
        {
            if (folded.Count > 0 && joins(part, previousIsMatch))
            {
                var last = folded[^1];
                folded[^1] = new Part(Math.Min(last.Start, part.Start), Math.Max(last.End, part.End), false);
            }
            else
            {
                folded.Add(part);
            }

            previousIsMatch = part.IsMatch;
        }

        return folded;
    }
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

/// <summary>Splits at the matches of a pattern; inverted, at what lies between them.</summary>
internal sealed class PatternSplit(TextPattern pattern, SplitBehavior behavior, bool invert) : PieceCutter
{
    public override void Cut(AlignedText text, List<AlignedText> pieces) =>
        MatchCutter.Cut(text, pattern.Matches(text.Text), behavior, invert, pieces);
}

/// <summary>Sets numbers (categories Nd, Nl, No) apart, each digit for itself or run by run.</summary>
internal sealed class DigitSplit(bool individual) : PieceCutter
{
    public override void Cut(AlignedText text, List<AlignedText> pieces) =>
        MatchCutter.Cut(text, Numbers(text.Text), individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous, invert: false, pieces);

    private static IEnumerable<(int Start, int End)> Numbers(string text)
    {
        var position = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsNumber(rune)) yield return (position, position + rune.Utf16SequenceLength);
            position += rune.Utf16SequenceLength;
        }
    }
}
