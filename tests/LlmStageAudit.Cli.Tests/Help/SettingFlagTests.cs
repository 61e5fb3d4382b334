using System.Text.RegularExpressions;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Cli.Tests.Help;

public sealed partial class SettingFlagTests
{
    [Fact]
    public void Every_setting_has_a_spelling_of_its_own()
    {
        Assert.Equal(Setting.All.ToHashSet(), SettingFlags.All.Keys.ToHashSet());
        Assert.Distinct(SettingFlags.All.Values);
    }

    [Fact]
    public void Every_spelling_is_made_of_flags_and_verbs_that_are_there()
    {
        var root = StageAudit.BuildRoot();
        var known = root.Options.Concat(root.Subcommands.SelectMany(verb => verb.Options)).Select(option => option.Name)
            .Concat(root.Subcommands.Select(verb => verb.Name)).ToHashSet();
        Assert.All(SettingFlags.All.Values.SelectMany(spelling => spelling.Split(' ')), word => Assert.Contains(word, known));
    }

    [Fact]
    public void Messages_name_flags_while_the_command_runs_and_concepts_otherwise()
    {
        Assert.StartsWith("error: --confine: no folder 'none'", CommandLine.Run("doctor", "--confine", "none").Error);
        Assert.Equal("the confinement", Setting.Confinement.ToString());
    }

    /// <summary>Nor a comment. Code says <c>count--</c>, never the other way round.</summary>
    [Fact]
    public void No_text_of_a_library_spells_a_flag()
    {
        var source = Path.Combine(Testing.SharedData.RepositoryRoot, "src");
        var files = Directory.GetFiles(source, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("LlmStageAudit.Cli")).ToArray();
        Assert.True(files.Length > 300);
        foreach (var file in files)
        {
            var found = Flag().Match(File.ReadAllText(file));
            Assert.False(found.Success, $"{Path.GetRelativePath(source, file)}: '{found.Value}'; name a Setting, which the command spells");
        }
    }

    [GeneratedRegex("(?<!-)--[A-Za-z{][a-z-]*|\"--\"")]
    private static partial Regex Flag();
}
