using System.Diagnostics;
using System.Text.RegularExpressions;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Readme;

/// <summary>What README.md shows is run as it stands, from the repository's root.</summary>
public sealed partial class ReadmeCommandTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private static string Text { get; } = File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, "README.md")).ReplaceLineEndings("\n");

    public static TheoryData<string> TestedBlocks => [.. TestedBlock().Matches(Text).Select(match => match.Groups["commands"].Value)];

    [Fact]
    public void Every_mark_is_followed_by_a_block_and_there_are_some()
    {
        Assert.NotEmpty(TestedBlocks);
        Assert.Equal(Text.Split("<!-- tested -->").Length - 1, TestedBlocks.Count);
    }

    [BuiltLauncherTheory]
    [MemberData(nameof(TestedBlocks))]
    public void A_tested_block_runs(string commands)
    {
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

    [Fact]
    public void The_example_configurations_are_accepted()
    {
        using var folder = new TemporaryFolder();
        var examples = Example().Matches(Text).Select(match => folder.Write(match.Groups["path"].Value, match.Groups["text"].Value))
            .ToArray();
        Assert.Equal(2, examples.Length);
        var run = RunConfigurationReader.Read(examples.Single(path => path.EndsWith("run.yaml", StringComparison.Ordinal)), []);
        Assert.Equal(["religion", "race", "recent"], run.Stages.Select(stage => stage.Name));
        var probe = Assert.Single(run.Probes);
        Assert.Contains(probe, examples);
        Assert.NotEmpty(ProbeConfigurationReader.Read(probe).Dataset.Groups);
    }

    [GeneratedRegex(@"<!-- tested -->\n```bash\n(?<commands>.*?)```", RegexOptions.Singleline)]
    private static partial Regex TestedBlock();

    [GeneratedRegex(@"<!-- example: (?<path>[\w/.-]+) -->\n```yaml\n(?<text>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
