using System.Text;
using System.Text.Json.Nodes;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>
/// What lies in a folder, to be compared: every file's path with the SHA-256 of its bytes. JSON files stand without what tells the time
/// (names that end in Seconds, createdUtc), and a seal without its last entry, which pins a manifest with such times, so that its own
/// digest does too; <see cref="CrashCampaignTests"/> lets verify-log prove the whole of it. Locks are no results and left out.
/// </summary>
internal static class ArtifactTree
{
    private static readonly string[] s_locks = ["run.lock", "run.holder", "retrain.lock", "retrain.holder"];

    public static SortedDictionary<string, string> Of(string folder)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (!Directory.Exists(folder)) return files;
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            if (s_locks.Contains(Path.GetFileName(path))) continue;
            files[Path.GetRelativePath(folder, path)] = path.EndsWith(".json", StringComparison.Ordinal)
                ? OfJson(path)
                : ContentHash.OfFile(path);
        }

        return files;
    }

    /// <summary>What differs, a line each; empty: nothing.</summary>
    public static string[] Differences(SortedDictionary<string, string> expected, SortedDictionary<string, string> found) =>
    [
        .. expected.Keys.Except(found.Keys).Select(path => $"missing: {path}"),
        .. found.Keys.Except(expected.Keys).Select(path => $"unexpected: {path}"),
        .. expected.Keys.Intersect(found.Keys).Where(path => expected[path] != found[path]).Select(path => $"other bytes: {path}"),
    ];

    public static void Copy(string from, string to)
    {
        foreach (var path in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, path)));
        foreach (var path in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(path, Path.Combine(to, Path.GetRelativePath(from, path)));
    }

    private static string OfJson(string path)
    {
        var json = JsonNode.Parse(File.ReadAllText(path));
        if (Path.GetFileName(path) == "seal.json")
        {
            var seal = json!.AsObject();
            var seals = seal["seals"]!.AsArray();
            if (seals[^1]!["scope"]!.GetValue<string>() == "run") seals.RemoveAt(seals.Count - 1);
            seal.Remove("sha256");
        }

        return ContentHash.OfBytes(Encoding.UTF8.GetBytes(WithoutTimes(json)?.ToJsonString() ?? "null"));
    }

    private static JsonNode? WithoutTimes(JsonNode? node)
    {
        if (node is JsonObject map)
        {
            foreach (var name in map.Select(pair => pair.Key).ToArray())
            {
                var tellsTime = name.EndsWith("Seconds", StringComparison.Ordinal) || name == "createdUtc";
                if (tellsTime) map.Remove(name);
                else WithoutTimes(map[name]);
            }
        }
        else if (node is JsonArray list)
        {
            foreach (var item in list) WithoutTimes(item);
        }

        return node;
    }
}
