using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Benchmarks.LongRuns;

/// <summary>The files of a run whose bytes are decided by what was trained: states and logs.</summary>
internal static class RunFiles
{
    public static SortedDictionary<string, string> Hashes(string run) => new(
        new[] { "initial", "stages" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(run, folder), "*", SearchOption.AllDirectories))
            .ToDictionary(path => Path.GetRelativePath(run, path), ContentHash.OfFile),
        StringComparer.Ordinal);

    /// <returns>The files that differ or are in one run only.</returns>
    public static string[] Differing(string left, string right)
    {
        var (one, other) = (Hashes(left), Hashes(right));
        return [.. one.Keys.Union(other.Keys).Where(path => one.GetValueOrDefault(path) != other.GetValueOrDefault(path))];
    }
}
