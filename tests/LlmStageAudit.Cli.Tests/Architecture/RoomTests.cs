using System.Text.RegularExpressions;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Architecture;

/// <summary>Who may use whom: rooms in one order, folders of a room in one direction, verbs nobody of their kind.</summary>
public sealed partial class RoomTests
{
    /// <summary>Low to high: a room uses only rooms before it.</summary>
    private static readonly string[] s_rooms =
    [
        "Foundation", "Checkpoints", "Records", "Seals", "Modeling", "Training", "Probing", "Attribution", "Auditing", "Retraining",
        "Reporting", "Cli",
    ];

    private static readonly string s_source = Path.Combine(SharedData.RepositoryRoot, "src");

    [Fact]
    public void A_room_uses_only_rooms_below_it()
    {
        var projects = Directory.GetDirectories(s_source).Select(folder => Path.GetFileName(folder)["LlmStageAudit.".Length..]);
        Assert.Equal(s_rooms.Order(StringComparer.Ordinal), projects.Order(StringComparer.Ordinal));
        foreach (var room in s_rooms)
        {
            var project = File.ReadAllText(Path.Combine(s_source, $"LlmStageAudit.{room}", $"LlmStageAudit.{room}.csproj"));
            var used = Reference().Matches(project).Select(match => match.Groups[1].Value).ToArray();
            Assert.Equal(used.OrderBy(Height), used);
            Assert.All(used, other => Assert.True(Height(other) < Height(room), $"{room} uses {other}"));
        }
    }

    [Fact]
    public void Folders_of_a_room_use_each_other_in_one_direction()
    {
        var uses = Uses();
        Assert.True(uses.Count > 40, $"{uses.Count} folders");
        foreach (var folder in uses.Keys)
        {
            var reached = new HashSet<string>(StringComparer.Ordinal);
            var next = new Stack<string>(uses[folder]);
            while (next.TryPop(out var other))
            {
                Assert.True(other != folder, $"{folder} is used by what it uses itself: {string.Join(", ", reached.Order())}");
                if (reached.Add(other) && uses.TryGetValue(other, out var further))
                    foreach (var one in further) next.Push(one);
            }
        }
    }

    [Fact]
    public void No_verb_uses_a_verb()
    {
        var verbs = Directory.GetFiles(Path.Combine(s_source, "LlmStageAudit.Cli", "Verbs"), "*Verb.cs");
        Assert.True(verbs.Length > 15, $"{verbs.Length} verbs");
        foreach (var verb in verbs)
        {
            var others = VerbName().Matches(File.ReadAllText(verb)).Select(match => match.Value).Distinct();
            Assert.Equal([Path.GetFileNameWithoutExtension(verb)], others);
        }
    }

    private static int Height(string room) => Array.IndexOf(s_rooms, room);

    /// <summary>
    /// Per namespace, which are folders, those of the same room whose types it names: types it can see by a using directive or because they
    /// are declared further up.
    /// </summary>
    private static Dictionary<string, HashSet<string>> Uses()
    {
        var files = Directory.EnumerateFiles(s_source, "*.cs", SearchOption.AllDirectories).Select(path =>
        {
            var text = Ignored().Replace(File.ReadAllText(path), "");
            return (Namespace: Namespace().Match(text).Groups[1].Value, Text: text);
        }).Where(file => file.Namespace.Length > 0).ToArray();
        var types = files
            .SelectMany(file => Declaration().Matches(file.Text).Select(match => (file.Namespace, Type: match.Groups[1].Value)))
            .GroupBy(declared => declared.Namespace, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Select(declared => declared.Type).ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        var uses = types.Keys.ToDictionary(name => name, _ => new HashSet<string>(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var (from, text) in files)
        {
            var words = Word().Matches(text).Select(match => match.Value).ToHashSet(StringComparer.Ordinal);
            var visible = Using().Matches(text).Select(match => match.Groups[1].Value)
                .Concat(types.Keys.Where(other => from.StartsWith(other + ".", StringComparison.Ordinal)))
                .Where(other => other != from && RoomOf(other) == RoomOf(from) && types.ContainsKey(other));
            if (!uses.TryGetValue(from, out var used)) continue;
            used.UnionWith(visible.Where(other => types[other].Overlaps(words)));
        }

        return uses;

        static string RoomOf(string name) => string.Join('.', name.Split('.').Take(2));
    }

    [GeneratedRegex(@"<ProjectReference Include=""\.\./LlmStageAudit\.(\w+)/")]
    private static partial Regex Reference();

    [GeneratedRegex(@"\b\w+Verb\b(?<!\bVerb)")]
    private static partial Regex VerbName();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^using ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex(
        @"^(?:public |internal |static |sealed |abstract |partial |readonly |ref |unsafe )+"
        + @"(?:class|record struct|record|struct|interface|enum|delegate [\w<>?\[\], ]+?) (\w+)",
        RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\b[A-Z]\w+")]
    private static partial Regex Word();

    /// <summary>Comments and plain strings.</summary>
    [GeneratedRegex(@"//.*$|""(?:[^""\\\n]|\\.)*""", RegexOptions.Multiline)]
    private static partial Regex Ignored();
}
