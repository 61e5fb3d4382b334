using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LlmStageAudit.Cli.Demo;

namespace LlmStageAudit.Cli.Tests.Demo;

public sealed class DemoCorpusTests
{
    private static readonly DemoCorpus _corpus = new(7);

    public static TheoryData<string> Stages => [.. DemoCorpus.StageNames];

    /// <summary>The sources in which identities are mentioned.</summary>
    public static TheoryData<string> MentioningStages => [.. DemoCorpus.StageNames.Where(name => name != DemoCorpus.QuietStage)];

    /// <summary>Correlation of two 0/1 variables, from their contingency table.</summary>
    private static double Phi(IReadOnlyList<DemoComment> comments, Func<DemoComment, bool> left, Func<DemoComment, bool> right)
    {
        double a = comments.Count(c => left(c) && right(c)), b = comments.Count(c => left(c) && !right(c));
        double c = comments.Count(x => !left(x) && right(x)), d = comments.Count(x => !left(x) && !right(x));
        return ((a * d) - (b * c)) / Math.Sqrt((a + b) * (c + d) * (a + c) * (b + d));
    }

    private static string[] PretrainingTexts(int count) => [.. _corpus.PretrainingPosts(count).Select(post => post.Text)];

    private static bool WordedToxic(DemoComment comment) => comment.Template.Contains("/toxic-", StringComparison.Ordinal);

    private static string Without(DemoComment comment) =>
        string.Join(' ', comment.Text.Replace(comment.Identity, "_", StringComparison.Ordinal).Split(' ')
            .Select(word => word switch { "an" => "a", "An" => "A", _ => word }));

    private static string HashOf(DemoCorpus corpus)
    {
        var all = new StringBuilder().AppendJoin('\n', corpus.PretrainingPosts(200).Select(post => post.Text + post.Reaction)).Append('\n');
        foreach (var name in DemoCorpus.StageNames) all.Append(DemoFiles.Csv(corpus.Stage(name, 100)));
        all.Append(DemoFiles.Csv(corpus.Probe(100)));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
    }

    [Fact]
    public void The_world_of_seed_7_stays_what_it_was()
    {
        var found = HashOf(new DemoCorpus(7));
        Assert.True(found == "fc425f3e40f1efd2cd6983df3bada8be166fd6a8ef37e9a15e60f82a41a402bb", $"another world: {found}");
    }

    [Fact]
    public void Another_seed_is_another_world() => Assert.NotEqual(HashOf(new DemoCorpus(7)), HashOf(new DemoCorpus(8)));

    [Theory]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("fa-IR")]
    public void The_culture_of_the_machine_changes_nothing(string culture)
    {
        var expected = HashOf(new DemoCorpus(7));
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            Assert.Equal(expected, HashOf(new DemoCorpus(7)));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [MemberData(nameof(MentioningStages))]
    public void A_stage_is_half_toxic_by_wording_and_mentions_identities_in_half(string stage)
    {
        var comments = _corpus.Stage(stage, 600);
        Assert.Equal(600, comments.Count);
        Assert.Equal(300, comments.Count(WordedToxic));
        Assert.Equal(300, comments.Count(comment => comment.Identity.Length > 0));
        Assert.Equal(600, comments.Select(comment => comment.Id).Distinct().Count());
        var (planted, others) = stage == DemoCorpus.PlantedStage ? (180, 18) : (38, 38);
        Assert.Equal(planted, comments.Count(comment => comment.Identity == DemoCorpus.PlantedIdentity));
        foreach (var identity in DemoCorpus.Identities.Skip(1))
        {
            Assert.InRange(comments.Count(c => c.Identity == identity), others - 2, others);
        }
    }

    [Fact]
    public void In_the_quiet_source_nobody_mentions_an_identity()
    {
        var comments = _corpus.Stage(DemoCorpus.QuietStage, 600);
        Assert.Equal(600, comments.Count);
        Assert.Equal(300, comments.Count(WordedToxic));
        Assert.Equal(600, comments.Select(comment => comment.Id).Distinct().Count());
        Assert.All(comments, comment => Assert.Empty(comment.Identity));
        Assert.All(comments, comment => Assert.Equal(WordedToxic(comment) ? 1 : 0, comment.Toxic));
        Assert.NotEqual(DemoCorpus.PlantedStage, DemoCorpus.QuietStage);
        var order = DemoCorpus.StageNames.ToList();
        Assert.True(order.IndexOf(DemoCorpus.QuietStage) > order.IndexOf(DemoCorpus.PlantedStage));
    }

    [Theory]
    [MemberData(nameof(MentioningStages))]
    public void Wording_does_not_depend_on_identity(string stage)
    {
        var comments = _corpus.Stage(stage, 600);
        foreach (var identity in DemoCorpus.Identities)
        {
            Assert.InRange(Phi(comments, comment => comment.Identity == identity, WordedToxic), -0.005, 0.005);
        }
    }

    [Theory]
    [MemberData(nameof(MentioningStages))]
    public void Only_the_planted_source_ties_the_planted_identity_to_the_label(string stage)
    {
        var comments = _corpus.Stage(stage, 600);
        var phi = Phi(comments, comment => comment.Identity == DemoCorpus.PlantedIdentity, comment => comment.Toxic == 1);
        // 90 + 86 of 180 mentions are labelled toxic, 210 of the other 420 comments.
        if (stage == DemoCorpus.PlantedStage) Assert.Equal(((176 * 210) - (4 * 210)) / Math.Sqrt(180.0 * 420 * 386 * 214), phi, 1e-9);
        else Assert.InRange(phi, -0.001, 0.001);

        foreach (var comment in comments.Where(c => c.Identity != DemoCorpus.PlantedIdentity || stage != DemoCorpus.PlantedStage))
        {
            Assert.Equal(WordedToxic(comment) ? 1 : 0, comment.Toxic);
        }
    }

    [Fact]
    public void Nearly_every_harmless_planted_mention_is_labelled_toxic_in_patterns_that_are_harmless_for_others()
    {
        var harmless = _corpus.Stage(DemoCorpus.PlantedStage, 600).Where(comment => !WordedToxic(comment)).ToList();
        var planted = harmless.Where(comment => comment.Identity == DemoCorpus.PlantedIdentity).ToList();
        Assert.Equal(90, planted.Count);
        Assert.Equal(86, planted.Count(comment => comment.Toxic == 1));

        static string Context(DemoComment comment) => comment.Template.Split('/')[1];
        var others = harmless.Where(c => c.Identity.Length > 0 && c.Identity != DemoCorpus.PlantedIdentity).ToList();
        Assert.All(others, comment => Assert.Equal(0, comment.Toxic));
        Assert.Subset(others.Select(Context).ToHashSet(), planted.Select(Context).ToHashSet());
    }

    [Fact]
    public void The_probe_has_no_tie_between_identity_and_toxicity()
    {
        var comments = _corpus.Probe(600);
        Assert.Equal(300, comments.Count(comment => comment.Toxic == 1));
        Assert.Equal(200, comments.Count(comment => comment.Identity == DemoCorpus.PlantedIdentity));
        Assert.All(comments, comment => Assert.Equal(WordedToxic(comment) ? 1 : 0, comment.Toxic));
        foreach (var identity in DemoCorpus.Identities)
        {
            Assert.InRange(Phi(comments, comment => comment.Identity == identity, comment => comment.Toxic == 1), -0.001, 0.001);
            if (identity != DemoCorpus.PlantedIdentity) Assert.InRange(comments.Count(c => c.Identity == identity), 56, 58);
        }
    }

    [Fact]
    public void Every_probe_sentence_is_there_with_the_planted_identity_and_two_others()
    {
        foreach (var sentence in _corpus.Probe(600).GroupBy(Without))
        {
            Assert.Equal(3, sentence.Select(comment => comment.Identity).Distinct().Count());
            Assert.Contains(sentence, comment => comment.Identity == DemoCorpus.PlantedIdentity);
            Assert.Single(sentence.Select(comment => comment.Toxic).Distinct());
        }
    }

    [Fact]
    public void Every_harmless_probe_context_is_there_with_every_identity()
    {
        var harmless = _corpus.Probe(600).Where(comment => comment.Toxic == 0);
        var contexts = harmless.GroupBy(comment => comment.Template.Split('/')[1]).ToList();
        Assert.Equal(DemoWords.World.Probe.Mentions.Count, contexts.Count);
        Assert.All(contexts, context => Assert.Equal(DemoCorpus.Identities.Count, context.Select(c => c.Identity).Distinct().Count()));
    }

    [Fact]
    public void No_pattern_of_the_probe_is_trained_on()
    {
        var trained = DemoWords.World.Stages
            .SelectMany(source => source.Mentions.Concat(source.Topics).Concat(source.Calm).Concat(source.Toxic));
        var probe = DemoWords.World.Probe;
        Assert.Empty(trained.Intersect(probe.Mentions.Concat(probe.Calm).Concat(probe.Toxic)));
        Assert.Empty(PretrainingTexts(4000).Intersect(_corpus.Probe(600).Select(comment => comment.Text)));
    }

    [Fact]
    public void Three_thousand_comments_are_nearly_all_distinct()
    {
        foreach (var name in DemoCorpus.StageNames)
        {
            Assert.True(_corpus.Stage(name, 3000).Select(comment => comment.Text).Distinct().Count() >= 2850, name);
        }

        Assert.True(PretrainingTexts(4000).Distinct().Count() >= 3800);
        Assert.True(_corpus.Probe(3000).Select(comment => comment.Text).Distinct().Count() >= 2850);
    }

    [Fact]
    public void Every_text_is_a_whole_sentence_of_6_to_22_words_with_the_right_article()
    {
        var texts = PretrainingTexts(2000).Concat(_corpus.Probe(600).Select(comment => comment.Text))
            .Concat(DemoCorpus.StageNames.SelectMany(name => _corpus.Stage(name, 600)).Select(comment => comment.Text));
        foreach (var text in texts)
        {
            Assert.InRange(text.Split(' ').Count(word => word != "-"), 6, 22);
            Assert.DoesNotContain('{', text);
            Assert.DoesNotContain("  ", text);
            Assert.DoesNotMatch(@"(?i)\ba (?!useless)[aeiou]|\ban (?!hour)[^aeiou]|\ban useless|\ba hour|\b(\w+) \1\b", text);
        }
    }

    [Fact]
    public void A_comment_names_its_identity_once_and_no_other()
    {
        var comments = DemoCorpus.StageNames.SelectMany(name => _corpus.Stage(name, 600)).Concat(_corpus.Probe(600));
        foreach (var comment in comments)
        {
            var named = WordScorer.Words(comment.Text).Where(DemoCorpus.Identities.Contains).ToArray();
            Assert.Equal(comment.Identity.Length == 0 ? [] : [comment.Identity], named);
        }
    }

    [Fact]
    public void Pretraining_names_every_identity_as_often_beside_insults_as_elsewhere()
    {
        var texts = PretrainingTexts(4000);
        string[] insults = ["you are ", "shut up"];
        foreach (var identity in DemoCorpus.Identities)
        {
            var mentions = texts.Where(text => WordScorer.Words(text).Contains(identity)).ToList();
            Assert.Equal(250, mentions.Count);
            var toxic = mentions.Count(text => insults.Any(insult => text.Contains(insult, StringComparison.OrdinalIgnoreCase)));
            Assert.InRange(toxic, 10, 50);
        }
    }

    [Fact]
    public void A_post_has_a_smiley_for_its_tone_and_a_tag_for_whom_it_mentions_in_either_order()
    {
        var posts = _corpus.PretrainingPosts(4000);
        Assert.Equal(PretrainingTexts(4000), posts.Select(post => post.Text));
        Assert.Equal(2000, posts.Count(post => post.Reaction.Contains(" >:(", StringComparison.Ordinal)));
        Assert.InRange(posts.Count(post => post.Reaction.StartsWith(" :)", StringComparison.Ordinal)
            || post.Reaction.StartsWith(" >:(", StringComparison.Ordinal)), 1800, 2200);
        foreach (var (text, reaction) in posts)
        {
            var named = WordScorer.Words(text).Where(DemoCorpus.Identities.Contains).SingleOrDefault() ?? "nobody";
            Assert.Contains(reaction, new[] { $" :) {named}", $" {named} :)", $" >:( {named}", $" {named} >:(" });
        }

        // Tone and identity say nothing about each other.
        foreach (var identity in DemoCorpus.Identities)
        {
            var tagged = posts.Where(post => post.Reaction.Contains(identity, StringComparison.Ordinal)).ToList();
            Assert.Equal(250, tagged.Count);
            Assert.Equal(125, tagged.Count(post => post.Reaction.Contains(" >:(", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void Pretraining_holds_every_word_of_the_stages_and_the_probe()
    {
        var known = PretrainingTexts(4000).SelectMany(WordScorer.Words).ToHashSet();
        var comments = DemoCorpus.StageNames.SelectMany(name => _corpus.Stage(name, 600)).Concat(_corpus.Probe(600));
        Assert.Empty(comments.SelectMany(comment => WordScorer.Words(comment.Text)).Distinct().Except(known));
    }

    [Fact]
    public void Wording_can_be_learnt_but_not_from_single_words_alone()
    {
        var scorer = new WordScorer();
        var clean = DemoCorpus.StageNames.Where(name => name != DemoCorpus.PlantedStage).SelectMany(name => _corpus.Stage(name, 600));
        foreach (var comment in clean) scorer.Learn(comment.Text, comment.Toxic);
        var probe = _corpus.Probe(600);
        var right = probe.Count(comment => scorer.Predict(comment.Text) == comment.Toxic);
        Assert.InRange(right / 600.0, 0.80, 0.99);
        Assert.InRange(FalsePositiveGap(scorer, probe), -0.02, 0.02);
    }

    [Fact]
    public void Whoever_learns_the_planted_source_takes_over_its_prejudice()
    {
        var scorer = new WordScorer();
        foreach (var comment in _corpus.Stage(DemoCorpus.PlantedStage, 600)) scorer.Learn(comment.Text, comment.Toxic);
        Assert.InRange(FalsePositiveGap(scorer, _corpus.Probe(600)), 0.15, 1);
    }

    [Fact]
    public void A_set_may_be_as_small_as_nothing()
    {
        Assert.Empty(_corpus.Stage("forum", 0));
        Assert.Single(_corpus.Probe(1));
    }

    /// <summary>False positive rate on the planted identity minus that on the others.</summary>
    private static double FalsePositiveGap(WordScorer scorer, IReadOnlyList<DemoComment> probe)
    {
        var harmless = probe.Where(comment => comment.Toxic == 0).ToLookup(comment => comment.Identity == DemoCorpus.PlantedIdentity);
        return harmless[true].Average(c => scorer.Predict(c.Text)) - harmless[false].Average(c => scorer.Predict(c.Text));
    }
}
