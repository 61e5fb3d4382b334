using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Readme;

/// <summary>A fenced block of a page.</summary>
/// <param name="Mark">The comment on the line before it, without its dashes; empty where there is none.</param>
/// <param name="Language">As after the fence.</param>
/// <param name="Text">Its lines.</param>
internal sealed record PageBlock(string Mark, string Language, string Text)
{
    public const string Tested = "tested";
    public const string Walked = "walked";

    /// <summary>What follows the kind of mark, such as a path; null where the mark is of another kind.</summary>
    public string? After(string kind) => Mark.StartsWith(kind + ": ", StringComparison.Ordinal) ? Mark[(kind.Length + 2)..] : null;
}

/// <summary>A page that users read: README.md or one below docs/.</summary>
/// <param name="Name">Relative to the repository, with forward slashes.</param>
/// <param name="Text">With line feeds.</param>
/// <param name="Blocks">In order.</param>
internal sealed record DocumentPage(string Name, string Text, IReadOnlyList<PageBlock> Blocks)
{
    private const string Fence = "```";

    /// <summary>README.md first, whose blocks the others build on.</summary>
    public static IReadOnlyList<DocumentPage> All { get; } =
    [
        Read("README.md"),
        .. Directory.GetFiles(Path.Combine(SharedData.RepositoryRoot, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(path => Read(Path.GetRelativePath(SharedData.RepositoryRoot, path).Replace('\\', '/')))
            .OrderBy(page => page.Name, StringComparer.Ordinal),
    ];

    public static DocumentPage Readme => All[0];

    public static DocumentPage Of(string name) => All.Single(page => page.Name == name);

    public static DocumentPage Read(string name)
    {
        var text = File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, name)).ReplaceLineEndings("\n");
        return new DocumentPage(name, text, [.. BlocksOf(text.Split('\n'))]);
    }

    private static IEnumerable<PageBlock> BlocksOf(string[] lines)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith(Fence, StringComparison.Ordinal)) continue;
            var end = Array.IndexOf(lines, Fence, i + 1);
            Assert.True(end > i, $"a block that does not end: {lines[i]}");
            var text = string.Concat(lines[(i + 1)..end].Select(line => line + "\n"));
            yield return new PageBlock(MarkOf(i > 0 ? lines[i - 1] : ""), lines[i][Fence.Length..], text);
            i = end;
        }
    }

    private static string MarkOf(string line) =>
        line.StartsWith("<!-- ", StringComparison.Ordinal) && line.EndsWith(" -->", StringComparison.Ordinal) ? line[5..^4] : "";
}
