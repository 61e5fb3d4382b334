using System.Text;
using System.Text.RegularExpressions;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Cli.Demo;

/// <summary>
/// Turns patterns into sentences. A frame is a comment whose <c>{identity}</c> is still open, so that the same sentence
/// can be written with every identity.
/// </summary>
internal static class DemoGrammar
{
    private const int FewestWords = 6;
    private const int MostWords = 22;
    private const string IdentitySlot = "{identity}";

    private static readonly Regex s_slot = new(@"\{\w+\}", RegexOptions.NonBacktracking);
    private static readonly Regex s_sentenceStart = new("(?:^|[.?!])[^A-Za-z]*[a-z]", RegexOptions.NonBacktracking);

    // Words whose first letter misleads about their first sound.
    private static readonly HashSet<string> _consonantSounds = ["useless", "used", "user", "university", "one"];
    private static readonly HashSet<string> _vowelSounds = ["hour", "honest"];

    /// <summary>
    /// One comment from a context clause and a remark, in either order; null where it comes out shorter than 6 or longer
    /// than 22 words.
    /// </summary>
    public static string? Frame(StableRandom random, DemoSource source, string context, string stance)
    {
        var clause = Fill(random, source, context);
        var remark = Fill(random, source, stance);
        var contextFirst = random.Next(2) == 0;
        var text = new StringBuilder();
        if (random.Next(4) == 0) text.Append(Fill(random, source, "{opener} "));
        text.Append(contextFirst ? clause : remark);
        text.Append(EndsSentence(text[^1]) ? " " : Pick(random, [". ", ". ", ", ", " - ", "! "]));
        text.Append(contextFirst ? remark : clause);
        if (!EndsSentence(text[^1])) text.Append(Pick(random, [".", ".", ".", "!", "...", ""]));
        var frame = text.ToString();
        if (frame.Split(' ').Count(word => word != "-") is < FewestWords or > MostWords) return null;
        return random.Next(5) < 2
            ? frame.ToLowerInvariant()
            : s_sentenceStart.Replace(frame, start => start.Value[..^1] + char.ToUpperInvariant(start.Value[^1]));
    }

    /// <summary>
    /// The frame with its identity, and with "an" where the sound asks for it. Identities stay in lower case, as many
    /// people type them.
    /// </summary>
    public static string Write(string frame, string identity)
    {
        var words = frame.Replace(IdentitySlot, identity, StringComparison.Ordinal).Split(' ');
        for (var i = 0; i + 1 < words.Length; i++)
        {
            if (words[i] is "a" or "A" && StartsWithVowelSound(words[i + 1])) words[i] += "n";
        }

        return string.Join(' ', words);
    }

    /// <summary>The pattern with every slot but the identity filled.</summary>
    private static string Fill(StableRandom random, DemoSource source, string pattern) => s_slot.Replace(
        pattern, slot => slot.Value == IdentitySlot ? slot.Value : Pick(random, source.Slots[slot.Value[1..^1]]));

    private static string Pick(StableRandom random, string[] words) => words[random.Next(words.Length)];

    private static bool EndsSentence(char last) => last is '?' or '!' or '.';

    private static bool StartsWithVowelSound(string word)
    {
        var bare = word.Trim('"', ',', '.', '!', '?').ToLowerInvariant();
        if (_vowelSounds.Contains(bare)) return true;
        return bare.Length > 0 && "aeiou".Contains(bare[0]) && !_consonantSounds.Contains(bare);
    }
}
