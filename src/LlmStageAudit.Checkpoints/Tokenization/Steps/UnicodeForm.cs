namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>NFC, NFD, NFKC or NFKD (Unicode Standard Annex 15), by the machine's Unicode data.</summary>
internal sealed class UnicodeForm : AlignedNormalizer
{
    private const char Noncharacter = '\uFFFE';
    private readonly NormalizationForm _form;

    /// <summary>Takes a form; the place is named where it cannot be had.</summary>
    /// <exception cref="CheckpointException">The process has no Unicode data: .NET would leave text as it is, silently.</exception>
    public UnicodeForm(NormalizationForm form, string where)
    {
        if (Normalized("e\u0301", NormalizationForm.FormC) != "\u00E9")
        {
            throw CheckpointException.At(where, "Unicode normalization is asked for, and this process runs without Unicode data",
                "libicu on the machine", "install libicu and leave DOTNET_SYSTEM_GLOBALIZATION_INVARIANT unset");
        }

        _form = form;
    }

    public override string Apply(string text) => Normalized(text, _form);

    /// <summary>
    /// Every character falls into parts, the parts are put in order, and some come together again. Equal parts stay in order, so each
    /// part of the result is the first equal one that is left; a result takes as many characters along as have their first part in it.
    /// </summary>
    public override IEnumerable<(int Start, int End)> Origins(string text)
    {
        var normalized = Apply(text);
        if (normalized == text)
        {
            foreach (var origin in AlignedText.Unchanged(text, 0, text.Length)) yield return origin;
            yield break;
        }

        var composes = _form is NormalizationForm.FormC or NormalizationForm.FormKC;
        var isCanonical = _form is NormalizationForm.FormC or NormalizationForm.FormD;
        var decomposition = isCanonical ? NormalizationForm.FormD : NormalizationForm.FormKD;
        var characters = new List<(int Start, int End)>(text.Length);
        var parts = new Dictionary<Rune, Queue<bool>>();
        foreach (var rune in text.EnumerateRunes())
        {
            var start = characters.Count == 0 ? 0 : characters[^1].End;
            characters.Add((start, start + rune.Utf16SequenceLength));
            var isFirst = true;
            foreach (var part in Parts(rune, decomposition))
            {
                if (!parts.TryGetValue(part, out var equals)) parts[part] = equals = new Queue<bool>();
                equals.Enqueue(isFirst);
                isFirst = false;
            }
        }

        var taken = 0;
        foreach (var rune in normalized.EnumerateRunes())
        {
            var from = taken;
            foreach (var part in composes ? Parts(rune, NormalizationForm.FormD) : [rune])
            {
                if (parts.TryGetValue(part, out var equals) && equals.TryDequeue(out var isFirst) && isFirst) taken++;
            }

            var origin = characters[from == taken ? Math.Max(from - 1, 0) : from];
            for (var unit = 0; unit < rune.Utf16SequenceLength; unit++) yield return origin;
        }
    }

    private static IEnumerable<Rune> Parts(Rune rune, NormalizationForm decomposition) =>
        rune.IsAscii ? [rune] : Normalized(rune.ToString(), decomposition).EnumerateRunes();

    private static string Normalized(string text, NormalizationForm form)
    {
        if (Ascii.IsValid(text)) return text;

        // .NET refuses U+FFFE; it neither composes nor reorders, so the text on each side is normalized for itself.
        return text.Contains(Noncharacter)
            ? string.Join(Noncharacter, text.Split(Noncharacter).Select(part => part.Normalize(form)))
            : text.Normalize(form);
    }
}
