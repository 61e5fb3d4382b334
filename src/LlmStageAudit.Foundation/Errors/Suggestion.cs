namespace LlmStageAudit.Foundation.Errors;

/// <summary>"Did you mean" for misspelt keys, columns and names.</summary>
public static class Suggestion
{
    /// <summary>Longer texts are no misspelt names, and comparing two takes the product of their lengths.</summary>
    private const int LongestCompared = 512;

    /// <summary>Characters compared with characters before the search is given up: a tenth of a second.</summary>
    private const long MostComparisons = 20_000_000;

    private const int MostListed = 40;

    /// <summary>The candidate fewest typing errors away, or null where none is near enough to be meant.</summary>
    public static string? Nearest(string found, IEnumerable<string> candidates)
    {
        if (found.Length > LongestCompared) return null;
        var left = MostComparisons;
        var best = candidates
            .Where(candidate => candidate.Length <= LongestCompared)
            .TakeWhile(candidate => (left -= (long)(found.Length + 1) * (candidate.Length + 1)) >= 0)
            .Select(candidate => (candidate, distance: Distance(found.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .OrderBy(pair => pair.distance)
            .FirstOrDefault();
        return best.candidate is not null && best.distance <= Math.Max(1, Math.Min(3, found.Length / 3)) ? best.candidate : null;
    }

    /// <summary>"did you mean 'x'?" where something is near, else the list of what is known.</summary>
    public static string For(string found, IReadOnlyCollection<string> candidates) =>
        Nearest(found, candidates) is { } nearest
            ? $"did you mean '{nearest}'?"
            : $"known: {string.Join(", ", candidates.Take(MostListed))}{(candidates.Count > MostListed ? ", ..." : "")}";

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours that lead from one to the other.</summary>
    private static int Distance(string left, string right)
    {
        var distance = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++) distance[i, 0] = i;
        for (var j = 0; j <= right.Length; j++) distance[0, j] = j;
        for (var i = 1; i <= left.Length; i++)
        {
            for (var j = 1; j <= right.Length; j++)
            {
                var substituted = distance[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                distance[i, j] = Math.Min(substituted, Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1);
                var swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
                if (swapped) distance[i, j] = Math.Min(distance[i, j], distance[i - 2, j - 2] + 1);
            }
        }

        return distance[left.Length, right.Length];
    }
}
