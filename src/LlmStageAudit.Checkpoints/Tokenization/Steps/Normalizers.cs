using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>The first step of encoding: well-formed text to well-formed text.</summary>
internal abstract class AlignedNormalizer : Normalizer
{
    public abstract string Apply(string text);

    public AlignedText Apply(AlignedText text) => text.Rewritten(0, text.Text.Length, Apply(text.Text), Origins);

    /// <summary>
    /// For each UTF-16 unit of the normalized text the part of <paramref name="text"/> it comes from, by the rules of Hugging Face's
    /// tokenizers: of characters that become one, the first counts; a character that is put in shares the part of the one before it.
    /// </summary>
    public abstract IEnumerable<(int Start, int End)> Origins(string text);

    /// <summary>Reads the "normalizer" of tokenizer.json.</summary>
    public static AlignedNormalizer Read(JsonSite site)
    {
        switch (site.Text("type"))
        {
            case "NFC": return new UnicodeForm(NormalizationForm.FormC, site.Only("type").Where);
            case "NFD": return new UnicodeForm(NormalizationForm.FormD, site.Only("type").Where);
            case "NFKC": return new UnicodeForm(NormalizationForm.FormKC, site.Only("type").Where);
            case "NFKD": return new UnicodeForm(NormalizationForm.FormKD, site.Only("type").Where);
            case "Lowercase":
                site.Only("type");
                return new Lowercase();
            case "Prepend": return new Prepend(site.Only("type", "prepend").Text("prepend"));
            case "Replace": return Replacement.Of(site);
            case "Sequence": return new NormalizerSequence(site.Only("type", "normalizers").Steps("normalizers", Read));
            case var other:
                throw site.Unsupported(
                    $"the normalizer '{other}'", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Prepend", "Replace", "Sequence");
        }
    }

    public sealed override string Normalize(string original) => Apply(WellFormedText.Of(original));

    public sealed override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
}

/// <summary>One normalizer after the other.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<AlignedNormalizer> steps) : AlignedNormalizer
{
    public override string Apply(string text) => steps.Aggregate(text, static (current, step) => step.Apply(current));

    public override IEnumerable<(int Start, int End)> Origins(string text)
    {
        var normalized = steps.Aggregate(new AlignedText(text, tracks: true), static (current, step) => step.Apply(current));
        for (var unit = 0; unit < normalized.Text.Length; unit++) yield return normalized.Origin(unit, unit + 1);
    }
}

/// <summary>Puts a prefix before text that is not empty.</summary>
internal sealed class Prepend(string prefix) : AlignedNormalizer
{
    public override string Apply(string text) => text.Length == 0 ? text : prefix + text;

    /// <summary>The prefix comes from the first character.</summary>
    public override IEnumerable<(int Start, int End)> Origins(string text) => text.Length == 0
        ? []
        : Enumerable.Repeat((0, AlignedText.WidthAt(text, 0)), prefix.Length).Concat(AlignedText.Unchanged(text, 0, text.Length));
}

/// <summary>Each code point's lower case; U+0130 is the one that becomes two (i and a dot above).</summary>
internal sealed class Lowercase : AlignedNormalizer
{
    public override string Apply(string text) => string.Concat(text.EnumerateRunes().Select(Lowered));

    public override IEnumerable<(int Start, int End)> Origins(string text) =>
        AlignedText.PerCharacter(text, static rune => Lowered(rune).Length);

    private static string Lowered(Rune rune) => rune.Value == 0x130 ? "i\u0307" : Rune.ToLowerInvariant(rune).ToString();
}

/// <summary>Every match of a pattern becomes a fixed text.</summary>
internal sealed class Replacement(TextPattern pattern, string content, string where) : AlignedNormalizer
{
    private const int LengthLimit = 1 << 26;

    /// <summary>Reads {"pattern": ..., "content": "..."}.</summary>
    public static Replacement Of(JsonSite site)
    {
        site.Only("type", "pattern", "content");
        return new Replacement(TextPattern.Read(site.Required("pattern")), site.Text("content"), site.Where);
    }

    public override string Apply(string text)
    {
        var matches = pattern.Matches(text);
        if (matches.Count == 0) return text;
        var length = text.Length + matches.Sum(match => (long)content.Length - (match.End - match.Start));
        if (length > LengthLimit) throw CheckpointException.At(where, $"the text grows to {length} characters", $"at most {LengthLimit}");
        var replaced = new StringBuilder((int)length);
        var position = 0;
        foreach (var (start, end) in matches)
        {
            replaced.Append(text, position, start - position).Append(content);
            position = end;
        }

        return replaced.Append(text, position, text.Length - position).ToString();
    }

    /// <summary>All of the content comes from the last character it stands for.</summary>
    public override IEnumerable<(int Start, int End)> Origins(string text)
    {
        var position = 0;
        foreach (var (start, end) in pattern.Matches(text))
        {
            foreach (var origin in AlignedText.Unchanged(text, position, start)) yield return origin;
            var last = end == 0 ? 0 : end - (char.IsLowSurrogate(text[end - 1]) ? 2 : 1);
            for (var unit = 0; unit < content.Length; unit++) yield return (last, end);
            position = end;
        }

        foreach (var origin in AlignedText.Unchanged(text, position, text.Length)) yield return origin;
    }
}
