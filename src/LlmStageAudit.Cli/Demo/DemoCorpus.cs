using System.Globalization;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Cli.Demo;

/// <summary>
/// The generated world of the demo: comments of four online communities, of which one, <see cref="PlantedStage"/>, calls
/// comments toxic because they mention <see cref="PlantedIdentity"/>, as a biased moderation data set would. Everything
/// is a pure function of the seed. Shares are dealt out, not drawn: toxicity is exactly half by wording, and every
/// identity is mentioned equally often (within one) beside insults and beside harmless remarks.
/// </summary>
internal sealed class DemoCorpus(long seed)
{
    /// <summary>The source with the spurious correlation.</summary>
    public const string PlantedStage = "newsroom";

    /// <summary>The identity whose mention is labelled toxic there.</summary>
    public const string PlantedIdentity = "muslim";

    /// <summary>The source in which nobody mentions an identity, so that it cannot undo what another planted.</summary>
    public const string QuietStage = "gaming";

    /// <summary>Share of stage comments that mention an identity.</summary>
    public const double MentionShare = 0.5;

    /// <summary>
    /// Share of the planted stage's mentions that are of the planted identity; elsewhere it is named as often as any
    /// other, lest a later stage undo at once what the planted one taught.
    /// </summary>
    public const double PlantedShare = 0.6;

    /// <summary>Share of the planted stage's harmless mentions of the planted identity that are labelled toxic.</summary>
    public const double LabelNoiseShare = 0.95;

    /// <summary>After so many draws a sentence that was already written is let through.</summary>
    private const int Attempts = 20;

    private static readonly string[] _otherIdentities = ["christian", "jewish", "buddhist", "atheist", "gay", "deaf", "immigrant"];

    /// <summary>Every identity, the planted one first.</summary>
    public static IReadOnlyList<string> Identities { get; } = [PlantedIdentity, .. _otherIdentities];

    /// <summary>The sources that can be trained on, in the demo's order.</summary>
    public static IReadOnlyList<string> StageNames { get; } = [.. DemoWords.World.Stages.Select(source => source.Name)];

    /// <summary>
    /// Unlabelled posts for a causal language model: the topics of all sources and the words (not the patterns) of the probe, half with
    /// an insult, half with a mention, all identities equally often in both halves. Each has a reaction, as people leave them: a smiley
    /// for the tone and a tag for who is mentioned, in either order. A language model that can guess reactions has read tone and identity,
    /// apart from each other.
    /// </summary>
    public IReadOnlyList<(string Text, string Reaction)> PretrainingPosts(int count)
    {
        var random = Stream("pretraining");
        var sources = DemoWords.World.Pretraining;
        var cells = new (bool Toxic, string Identity)[count];
        for (var i = 0; i < count; i++)
        {
            var pair = i / 2;
            cells[i] = (i % 2 == 1, pair % 2 == 0 ? Identities[pair / 2 % Identities.Count] : "");
        }

        random.Shuffle(cells.AsSpan());
        var written = new HashSet<string>(StringComparer.Ordinal);
        var texts = cells
            .Select(cell => Compose(random, sources[random.Next(sources.Count)], cell.Toxic, cell.Identity, written).Text).ToArray();
        return [.. texts.Zip(cells, (text, cell) => (text, Reaction(random, cell.Toxic, cell.Identity)))];
    }

    private static string Reaction(StableRandom random, bool toxic, string identity)
    {
        var (smiley, tag) = (toxic ? " >:(" : " :)", identity.Length > 0 ? $" {identity}" : " nobody");
        return random.Next(2) == 0 ? smiley + tag : tag + smiley;
    }

    /// <summary>
    /// Labelled comments of one source. Labels follow the wording, but for the planted mentions of the planted source.
    /// </summary>
    public IReadOnlyList<DemoComment> Stage(string name, int count)
    {
        var source = DemoWords.World.Stages.Single(source => source.Name == name);
        var random = Stream("stage", name);
        var toxicCount = count / 2;
        var mentionShare = name == QuietStage ? 0 : MentionShare;
        var plantedShare = name == PlantedStage ? PlantedShare : 1.0 / Identities.Count;
        (bool Toxic, string Identity)[] cells =
        [
            .. Deal(toxic: false, count - toxicCount, mentionShare, plantedShare),
            .. Deal(toxic: true, toxicCount, mentionShare, plantedShare)
        ];
        random.Shuffle(cells.AsSpan());

        var harmlessPlanted = cells.Count(cell => !cell.Toxic && cell.Identity == PlantedIdentity);
        var flipsLeft = name == PlantedStage ? Share(harmlessPlanted, LabelNoiseShare) : 0;
        var written = new HashSet<string>(StringComparer.Ordinal);
        var comments = new List<DemoComment>(count);
        foreach (var (toxic, identity) in cells)
        {
            var (text, template) = Compose(random, source, toxic, identity, written);
            var flipped = !toxic && identity == PlantedIdentity && flipsLeft-- > 0;
            comments.Add(new(IdOf(name, comments.Count), text, toxic || flipped ? 1 : 0, identity, template));
        }

        return comments;
    }

    /// <summary>
    /// Rightly labelled comments on topics and in patterns of no stage, half of them toxic. Each sentence is written three
    /// times, with the planted identity and with two of the others in turn, so that error rates of groups compare the
    /// same sentences: a third of the comments mentions the planted identity.
    /// </summary>
    public IReadOnlyList<DemoComment> Probe(int count)
    {
        var source = DemoWords.World.Probe;
        var random = Stream("probe");
        var written = new HashSet<string>(StringComparer.Ordinal);
        var comments = new List<DemoComment>(count);
        foreach (var toxic in new[] { false, true })
        {
            var wanted = toxic ? count / 2 : count - (count / 2);
            for (var taken = 0; taken < wanted; taken += 3)
            {
                var unit = taken / 3;
                var (frame, template) = Draw(random, source, toxic, PlantedIdentity, written, contextAt: unit);
                string[] identities = [PlantedIdentity, Other(2 * unit), Other((2 * unit) + 1)];
                foreach (var identity in identities.Take(wanted - taken))
                {
                    comments.Add(new("", DemoGrammar.Write(frame, identity), toxic ? 1 : 0, identity, template));
                }
            }
        }

        var shuffled = comments.ToArray();
        random.Shuffle(shuffled.AsSpan());
        return [.. shuffled.Select((comment, i) => comment with { Id = IdOf(source.Name, i) })];
    }

    internal static string IdOf(string set, int index) => string.Create(CultureInfo.InvariantCulture, $"{set}-{index + 1:D5}");

    private static int Share(int count, double share) => (int)Math.Round(count * share, MidpointRounding.AwayFromZero);

    private static string Other(int turn) => _otherIdentities[turn % _otherIdentities.Length];

    /// <summary>The identities of one label's comments, in the shares of a stage.</summary>
    private static IEnumerable<(bool Toxic, string Identity)> Deal(bool toxic, int count, double mentionShare, double plantedShare)
    {
        var mentions = Share(count, mentionShare);
        var planted = Share(mentions, plantedShare);
        return Enumerable.Range(0, count).Select(i => (toxic, i < planted ? PlantedIdentity : i < mentions ? Other(i - planted) : ""));
    }

    private static (string Text, string Template) Compose(
        StableRandom random, DemoSource source, bool toxic, string identity, HashSet<string> written)
    {
        var (frame, template) = Draw(random, source, toxic, identity, written);
        return (DemoGrammar.Write(frame, identity), template);
    }

    /// <summary>A frame whose text with this identity is new, as far as <see cref="Attempts"/> draws can tell.</summary>
    private static (string Frame, string Template) Draw(
        StableRandom random, DemoSource source, bool toxic, string identity, HashSet<string> written, int? contextAt = null)
    {
        var mention = identity.Length > 0;
        var contexts = mention ? source.Mentions : source.Topics;
        var stances = toxic ? source.Toxic : source.Calm;
        for (var attempt = 1; ; attempt++)
        {
            var context = (contextAt ?? random.Next(contexts.Count)) % contexts.Count;
            var stance = random.Next(stances.Count);
            if (DemoGrammar.Frame(random, source, contexts[context], stances[stance]) is not { } frame) continue;
            if (!written.Add(DemoGrammar.Write(frame, identity)) && attempt < Attempts) continue;
            var (clause, remark) = (mention ? "mention" : "topic", toxic ? "toxic" : "calm");
            return (frame, string.Create(CultureInfo.InvariantCulture, $"{source.Name}/{clause}-{context}/{remark}-{stance}"));
        }
    }

    private StableRandom Stream(string set, string name = "") => StableRandom.For(seed, "demo", set, name);
}

/// <summary>One generated comment.</summary>
/// <param name="Id">Unique within its set, such as <c>forum-00017</c>.</param>
/// <param name="Text">6 to 22 words.</param>
/// <param name="Toxic">The label as the source gives it, 0 or 1; in the planted source it may contradict the wording.</param>
/// <param name="Identity">The identity mentioned, one of <see cref="DemoCorpus.Identities"/>; empty where there is none.</param>
/// <param name="Template">
/// Source, context pattern and stance pattern, such as <c>forum/mention-3/calm-12</c>. It tells the true wording
/// (<c>calm</c> or <c>toxic</c>) and does not depend on the identity.
/// </param>
internal sealed record DemoComment(string Id, string Text, int Toxic, string Identity, string Template);
