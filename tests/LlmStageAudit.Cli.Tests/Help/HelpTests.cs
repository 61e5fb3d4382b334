using System.CommandLine;
using System.Globalization;
using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Help;

public sealed class HelpTests
{
    public static TheoryData<string> Verbs => [.. StageAudit.BuildRoot().Subcommands.Select(verb => verb.Name)];

    [Fact]
    public void The_help_of_the_command_stays_what_it_was() => Snapshot.AssertEqual("stageaudit.txt", HelpOf([]));

    [Theory]
    [MemberData(nameof(Verbs))]
    public void The_help_of_a_verb_stays_what_it_was(string verb) => Snapshot.AssertEqual($"{verb}.txt", HelpOf([verb]));

    [Fact]
    public void Every_snapshot_belongs_to_a_verb()
    {
        var folder = Path.Combine(Testing.SharedData.RepositoryRoot, "tests", "LlmStageAudit.Cli.Tests", "Snapshots");
        var expected = StageAudit.BuildRoot().Subcommands.Select(verb => verb.Name).Append("stageaudit").Select(name => name + ".txt");
        Assert.Equal(expected.Order(StringComparer.Ordinal), Directory.GetFiles(folder).Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Every_verb_has_examples_of_itself_that_it_would_parse(string verb)
    {
        var examples = HelpOf([verb]).Split("\nExamples:\n")[1].Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Trim()).ToArray();
        Assert.NotEmpty(examples);
        foreach (var example in examples)
        {
            Assert.StartsWith($"stageaudit {verb}", example);
            var args = example.Split(" < ")[0].Split(' ')[1..];
            Assert.Empty(StageAudit.BuildRoot().Parse(args).Errors);
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Help_says_the_same_under_another_culture(string verb)
    {
        var expected = HelpOf([verb]);
        Assert.Equal(expected, InCulture("de-DE", () => HelpOf([verb])));
    }

    internal static T InCulture<T>(string name, Func<T> use)
    {
        var (before, threads) = (CultureInfo.CurrentCulture, CultureInfo.DefaultThreadCurrentCulture);
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.GetCultureInfo(name);
            return use();
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.DefaultThreadCurrentCulture) = (before, threads);
        }
    }

    private static string HelpOf(string[] verb)
    {
        var outcome = CommandLine.Succeed([.. verb, "--help"]);
        Assert.Empty(outcome.Error);
        return outcome.Output.ReplaceLineEndings("\n");
    }
}
