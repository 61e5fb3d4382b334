using System.Globalization;
using System.Text.RegularExpressions;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Readme;

/// <summary>What pages lead to is there: files, headings, paths that CONTRIBUTING names, messages and codes of errors.md.</summary>
public sealed partial class LinkTests
{
    private static string Root => SharedData.RepositoryRoot;

    [Fact]
    public void Relative_links_lead_to_files_and_headings()
    {
        var pages = PagesIn(new DirectoryInfo(Root)).ToArray();
        Assert.Contains(Path.Combine(Root, "README.md"), pages);
        Assert.Contains(Path.Combine(Root, ".github", "CONTRIBUTING.md"), pages);
        var broken = pages.SelectMany(page => Link().Matches(WithoutBlocks(page)).Select(match => match.Groups["to"].Value)
            .Where(link => !External().IsMatch(link) && Fault(page, link) is not null)
            .Select(link => $"{Path.GetRelativePath(Root, page)}: {link}: {Fault(page, link)}"));
        Assert.Empty(broken);
    }

    [Fact]
    public void Every_page_of_docs_is_in_an_index()
    {
        foreach (var folder in new[] { "docs", "docs/decisions" })
        {
            var index = DocumentPage.Of($"{folder}/README.md").Text;
            var pages = DocumentPage.All.Select(page => page.Name).Where(name => Path.GetDirectoryName(name) == folder)
                .Select(name => Path.GetFileName(name));
            Assert.All(pages.Where(page => page != "README.md"), page => Assert.Contains($"({page})", index));
        }
    }

    [Fact]
    public void What_CONTRIBUTING_says_to_change_is_there()
    {
        var text = DocumentPage.Read(".github/CONTRIBUTING.md").Text;
        var section = text[text.IndexOf("## Where do I change X", StringComparison.Ordinal)..];
        var rows = section[..section.IndexOf("\n## ", StringComparison.Ordinal)].Split('\n')
            .Where(line => line.StartsWith("| a", StringComparison.Ordinal)).ToArray();
        Assert.Equal(10, rows.Length);
        foreach (var row in rows)
        {
            var paths = Code().Matches(row).Select(match => match.Groups["text"].Value).Where(text => text.Contains('.')).ToArray();
            Assert.NotEmpty(paths);
            Assert.All(paths, path => Assert.True(Path.Exists(Path.Combine(Root, path)), $"no {path}"));
        }
    }

    [Fact]
    public void Messages_that_errors_explains_are_those_of_the_sources()
    {
        var files = Directory.GetFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories);
        var sources = string.Concat(files.Select(File.ReadAllText));
        var messages = FirstCells(Message());
        Assert.True(messages.Length > 20);
        Assert.All(messages, message => Assert.True(sources.Contains(message, StringComparison.Ordinal), $"no source says '{message}'"));
    }

    [Fact]
    public void Exit_codes_that_errors_explains_are_all_there_are() => Assert.Equal(
        Enum.GetValues<ExitCode>().Select(code => ((int)code).ToString(CultureInfo.InvariantCulture)),
        FirstCells(Number()));

    [Fact]
    public void Warnings_that_errors_explains_are_all_there_are()
    {
        var files = Directory.GetFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories);
        var given = files.SelectMany(file => GivenWarning().Matches(File.ReadAllText(file))).Select(match => match.Groups["code"].Value);
        Assert.Equal(given.Distinct().Order(StringComparer.Ordinal), FirstCells(WarningCode()).Order(StringComparer.Ordinal));
    }

    private static string[] FirstCells(Regex cell) =>
    [
        .. DocumentPage.Of("docs/errors.md").Text.Split('\n').Select(line => cell.Match(line)).Where(match => match.Success)
            .Select(match => match.Groups["text"].Value),
    ];

    // Neither what is built nor what git holds, and no folder that is a link.
    private static IEnumerable<string> PagesIn(DirectoryInfo folder) => folder.GetFiles("*.md").Select(file => file.FullName)
        .Concat(folder.GetDirectories()
            .Where(within => within.Name is not ("artifacts" or ".git" or "demo-run" or "bin" or "obj") && within.LinkTarget is null)
            .SelectMany(PagesIn));

    private static string WithoutBlocks(string page) => Block().Replace(File.ReadAllText(page).ReplaceLineEndings("\n"), "");

    private static string? Fault(string page, string link)
    {
        var parts = link.Split('#', 2);
        var file = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
        if (!Path.Exists(file)) return "no such file";
        return parts.Length == 1 || Headings(file).Contains(parts[1]) ? null : "no such heading";
    }

    // As GitHub makes them: lower case, without punctuation, dashes for blanks.
    private static IEnumerable<string> Headings(string page) => WithoutBlocks(page).Split('\n').Where(line => line.StartsWith('#'))
        .Select(line => NoLetter().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^[a-z]+:")]
    private static partial Regex External();

    [GeneratedRegex("^```.*?^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoLetter();

    [GeneratedRegex("`(?<text>[^`]+)`")]
    private static partial Regex Code();

    // A message has a blank, a warning's code none.
    [GeneratedRegex(@"^\| `(?<text>[^`]* [^`]*)` \|")]
    private static partial Regex Message();

    [GeneratedRegex(@"^\| `(?<text>[a-z-]+)` \|")]
    private static partial Regex WarningCode();

    [GeneratedRegex(@"new Warning\(\s*""(?<code>[^""]*)""")]
    private static partial Regex GivenWarning();

    [GeneratedRegex(@"^\| (?<text>\d+) \|")]
    private static partial Regex Number();
}
