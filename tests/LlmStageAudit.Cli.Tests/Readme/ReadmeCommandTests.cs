using System.Diagnostics;
using System.Text.RegularExpressions;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Readme;

/// <summary>What README.md and the pages in docs/ show is run as it stands, from the repository's root, or says why not.</summary>
public sealed partial class ReadmeCommandTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    /// <summary>The page, and the block's place among those of the page.</summary>
    public static TheoryData<string, int> TestedBlocks
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var page in DocumentPage.All)
            {
                for (var i = 0; i < page.Blocks.Count; i++)
                {
                    if (page.Blocks[i].Mark == PageBlock.Tested) data.Add(page.Name, i);
                }
            }

            return data;
        }
    }

    [Fact]
    public void Every_mark_is_followed_by_its_block_and_there_are_some()
    {
        Assert.NotEmpty(TestedBlocks);
        foreach (var page in DocumentPage.All)
        {
            Assert.Equal(Mark().Matches(page.Text).Select(match => match.Groups["mark"].Value), page.Blocks
                .Select(block => block.Mark).Where(mark => Mark().IsMatch($"<!-- {mark} -->")));
        }
    }

    [Fact]
    public void Every_block_of_commands_or_yaml_is_tested_or_says_why_not()
    {
        foreach (var page in DocumentPage.All)
        {
            foreach (var block in page.Blocks)
            {
                var isCovered = block.Language switch
                {
                    "bash" => block.Mark is PageBlock.Tested or PageBlock.Walked
                        || block.After("not run") is not null || CallsScripts(block),
                    "yaml" => block.After("example") is not null || block.After("part") is not null,
                    // By LibraryPageTests.
                    "csharp" => page.Name == "docs/library.md",
                    "text" => true,
                    _ => false,
                };
                Assert.True(isCovered, $"{page.Name}: a block of '{block.Language}' that no test covers:\n{block.Text}");
            }
        }
    }

    [BuiltLauncherTheory]
    [MemberData(nameof(TestedBlocks))]
    public void A_tested_block_runs(string page, int place)
    {
        var commands = DocumentPage.Of(page).Blocks[place].Text;
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", commands])
        {
            WorkingDirectory = SharedData.RepositoryRoot,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"not done after {s_limit.TotalSeconds} s:\n{commands}");
        }

        Assert.True(process.ExitCode == 0, $"exit {process.ExitCode}:\n{commands}\n{error.Result}");
        Assert.NotEmpty(output.Result);
    }

    // Such as `scripts/demo.sh`: too long for a test, or this very test.
    private static bool CallsScripts(PageBlock block) =>
        block.Mark.Length == 0 && block.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).All(line =>
            Script().IsMatch(line) && File.Exists(Path.Combine(SharedData.RepositoryRoot, line.Split(' ')[0])));

    [GeneratedRegex("<!-- (?<mark>tested|walked|not run: [^\n]+?|example: [^\n]+?|part: [^\n]+?) -->")]
    private static partial Regex Mark();

    [GeneratedRegex(@"^scripts/[a-z-]+\.sh( |$)")]
    private static partial Regex Script();
}
