using LlmStageAudit.Checkpoints.Tokenization.Files;

namespace LlmStageAudit.Checkpoints.Tokenization.AddedTokens;

/// <summary>A token that is found in text as it stands, before the model sees the rest.</summary>
internal sealed record AddedToken(int Id, string Content)
{
    /// <summary>Left out when decoding without special tokens.</summary>
    public bool Special { get; init; }

    /// <summary>Searched for in normalized text (its own content normalized too) rather than in the raw text.</summary>
    public bool Normalized { get; init; }

    /// <summary>Found only where no word character touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Takes the white space before it along.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Takes the white space after it along.</summary>
    public bool StripsRight { get; init; }

    public static AddedToken Read(JsonSite site)
    {
        const int lengthLimit = 1024;
        site.RequireOnly("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
        var content = site.Text("content");
        if (content.Length is 0 or > lengthLimit)
        {
            throw TokenizerException.Invalid(site.Where, $"a content of {content.Length} characters", $"1 to {lengthLimit}");
        }

        var special = site.Flag("special", absent: false);
        return new AddedToken(site.Required("id").Id(), content)
        {
            Special = special,
            Normalized = site.Flag("normalized", absent: !special),
            SingleWord = site.Flag("single_word", absent: false),
            StripsLeft = site.Flag("lstrip", absent: false),
            StripsRight = site.Flag("rstrip", absent: false),
        };
    }
}
