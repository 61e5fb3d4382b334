using System.Text;
using LlmStageAudit.Checkpoints.Tokenization.Files;

namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>Reads the "normalizer" of tokenizer.json.</summary>
internal static class NormalizerReader
{
    private static readonly string[] Supported = ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Prepend", "Replace", "Sequence"];

    public static AlignedNormalizer? Read(JsonSite? site) => site is { } present ? ReadOne(present) : null;

    private static AlignedNormalizer ReadOne(JsonSite site)
    {
        switch (site.Text("type"))
        {
            case "NFC": return Form(site, NormalizationForm.FormC);
            case "NFD": return Form(site, NormalizationForm.FormD);
            case "NFKC": return Form(site, NormalizationForm.FormKC);
            case "NFKD": return Form(site, NormalizationForm.FormKD);
            case "Lowercase":
                site.RequireOnly("type");
                return new Lowercase();
            case "Prepend":
                site.RequireOnly("type", "prepend");
                return new Prepend(site.Text("prepend"));
            case "Replace":
                return Replacement.Read(site);
            case "Sequence":
                site.RequireOnly("type", "normalizers");
                return new NormalizerSequence(site.Required("normalizers").Items(StepLimit).Select(ReadOne).ToList());
            case var other:
                throw TokenizerException.Unsupported(site.Where, $"the normalizer '{other}'", Supported);
        }
    }

    private const int StepLimit = 64;

    private static UnicodeForm Form(JsonSite site, NormalizationForm form)
    {
        site.RequireOnly("type");
        return new UnicodeForm(form, site.Where);
    }
}
