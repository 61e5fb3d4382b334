using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Readme;

/// <summary>The configurations that the pages show are accepted.</summary>
public sealed class ExampleTests
{
    public static TheoryData<string, int> Parts
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var page in DocumentPage.All)
            {
                for (var i = 0; i < page.Blocks.Count; i++)
                {
                    if (page.Blocks[i].After("part") is not null) data.Add(page.Name, i);
                }
            }

            return data;
        }
    }

    [Fact]
    public void The_example_configurations_are_accepted()
    {
        using var folder = new TemporaryFolder();
        var examples = DocumentPage.Readme.Blocks.Where(block => block.After("example") is not null)
            .Select(block => folder.Write(block.After("example")!, block.Text)).ToArray();
        Assert.Equal(2, examples.Length);
        var run = RunConfigurationReader.Read(examples.Single(path => path.EndsWith("run.yaml", StringComparison.Ordinal)), []);
        Assert.Equal(["religion", "race", "recent"], run.Stages.Select(stage => stage.Name));
        var probe = Assert.Single(run.Probes);
        Assert.Contains(probe, examples);
        Assert.NotEmpty(ProbeConfigurationReader.Read(probe).Dataset.Groups);
    }

    [Fact]
    public void Only_the_readme_shows_whole_files() =>
        Assert.All(DocumentPage.All.Skip(1), page => Assert.DoesNotContain(page.Blocks, block => block.After("example") is not null));

    [Theory]
    [MemberData(nameof(Parts))]
    public void A_part_takes_the_place_of_the_same_keys_in_the_example(string page, int place)
    {
        using var folder = new TemporaryFolder();
        var block = DocumentPage.Of(page).Blocks[place];
        var whole = DocumentPage.Readme.Blocks.Single(example => example.After("example") == block.After("part"));
        var parts = Sections(block.Text);
        var text = string.Concat(Sections(whole.Text).Where(section => !parts.Any(part => part.Key == section.Key)).Concat(parts)
            .Select(section => section.Text));
        Assert.NotEqual(whole.Text, text);
        RunConfigurationReader.Read(folder.Write("run.yaml", text), []);
    }

    // The keys of the first level, each with its lines.
    private static List<(string Key, string Text)> Sections(string yaml)
    {
        var sections = new List<(string Key, string Text)>();
        foreach (var line in yaml.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line[0] != ' ') sections.Add((line[..line.IndexOf(':')], line + "\n"));
            else sections[^1] = (sections[^1].Key, sections[^1].Text + line + "\n");
        }

        return sections;
    }
}
