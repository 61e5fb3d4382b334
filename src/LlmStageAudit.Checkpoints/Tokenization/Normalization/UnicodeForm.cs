using System.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>NFC, NFD, NFKC or NFKD (Unicode Standard Annex 15), by the machine's Unicode data.</summary>
internal sealed class UnicodeForm : INormalizer
{
    private const char Noncharacter = '\uFFFE';
    private readonly NormalizationForm _form;

    /// <exception cref="TokenizerException">The process has no Unicode data: .NET would leave text as it is, silently.</exception>
    public UnicodeForm(NormalizationForm form, string where)
    {
        if ("e\u0301".Normalize(NormalizationForm.FormC) != "\u00E9") throw TokenizerException.NoUnicodeForms(where);
        _form = form;
    }

    public string Normalize(string text)
    {
        if (Ascii.IsValid(text)) return text;

        // .NET refuses U+FFFE; it neither composes nor reorders, so the text on each side is normalized for itself.
        return text.Contains(Noncharacter)
            ? string.Join(Noncharacter, text.Split(Noncharacter).Select(part => part.Normalize(_form)))
            : text.Normalize(_form);
    }
}
