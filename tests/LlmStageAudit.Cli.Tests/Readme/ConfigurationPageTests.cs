using System.Text.RegularExpressions;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Readme;

/// <summary>docs/configuration.md names the keys that the readers know: all of them, and no other.</summary>
public sealed partial class ConfigurationPageTests
{
    /// <summary>Near to no key, so that a reader answers with all it knows.</summary>
    private const string Unknown = "zzzzzzzzzzzzzzzz";

    [Fact]
    public void The_page_names_every_key_that_is_known_and_no_other()
    {
        using var folder = new TemporaryFolder();
        var known = Known("run", text => RunConfigurationReader.Read(folder.Write("run.yaml", text), []))
            .Concat(Known("probe", text => ProbeConfigurationReader.Read(folder.Write("probe.yaml", text))));
        Assert.Equal(known.Order(StringComparer.Ordinal), Documented().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Keys_of_all_depths_were_found()
    {
        using var folder = new TemporaryFolder();
        var known = Known("run", text => RunConfigurationReader.Read(folder.Write("run.yaml", text), [])).ToArray();
        string[] some = ["run seed", "run model path", "run stages name", "run stages data where", "run stages optimizer clipNorm"];
        Assert.All(some, key => Assert.Contains(key, known));
    }

    // A block with a key that is none is answered with those that are; each is then tried as a block, and as a list of blocks.
    private static List<string> Known(string file, Action<string> read)
    {
        var found = new List<string>();
        var open = new Queue<string[]>([[]]);
        while (open.TryDequeue(out var path))
        {
            if (KeysAt(path, read) is not { } keys) continue;
            foreach (var key in keys)
            {
                found.Add(string.Join(' ', [file, .. path.Where(part => part != "0"), key]));
                open.Enqueue([.. path, key]);
                open.Enqueue([.. path, key, "0"]);
            }
        }

        return found;
    }

    // YAML in flow style: { a: [ { b: { zzz: 1 } } ] } for a, 0, b.
    private static string[]? KeysAt(string[] path, Action<string> read)
    {
        var text = path.Reverse().Aggregate(
            $"{{ {Unknown}: 1 }}",
            (inner, part) => part == "0" ? $"[ {inner} ]" : $"{{ {part}: {inner} }}");
        var faults = Assert.Throws<ConfigurationException>(() => read(text)).Faults;
        var at = string.Join('.', [.. path, Unknown]);
        var answer = faults.Select(fault => Answer().Match(fault))
            .SingleOrDefault(match => match.Success && match.Groups["key"].Value == at);
        return answer?.Groups["keys"].Value.Split(", ");
    }

    private static IEnumerable<string> Documented()
    {
        string[] blocks = [];
        foreach (var line in DocumentPage.Of("docs/configuration.md").Text.Split('\n'))
        {
            if (Table().Match(line) is { Success: true } table) blocks = table.Groups["blocks"].Value.Split("; ");
            if (line.StartsWith('#')) blocks = [];
            if (Row().Match(line) is not { Success: true } row) continue;
            Assert.NotEmpty(blocks);
            foreach (var block in blocks) yield return $"{block} {row.Groups["key"].Value.Replace('.', ' ')}";
        }
    }

    [GeneratedRegex(": (?<key>[^ :]+): unknown key; known: (?<keys>.+)$")]
    private static partial Regex Answer();

    [GeneratedRegex("^<!-- keys: (?<blocks>.+) -->$")]
    private static partial Regex Table();

    [GeneratedRegex(@"^\| `(?<key>[^`]+)` \|")]
    private static partial Regex Row();
}
