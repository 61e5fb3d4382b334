namespace LlmStageAudit.Artifacts.Errors;

/// <summary>"Did you mean" for misspelt keys, columns and names.</summary>
public static class Suggestion
{
    /// <summary>The candidate nearest in edit distance, or null where none is near enough to be meant.</summary>
    public static string? Nearest(string found, IEnumerable<string> candidates)
    {
        var best = candidates
            .Select(candidate => (candidate, distance: Distance(found.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .OrderBy(pair => pair.distance)
            .FirstOrDefault();
        return best.candidate is not null && best.distance <= Math.Max(1, Math.Min(3, found.Length / 3)) ? best.candidate : null;
    }

    /// <summary>"did you mean 'x'?" where something is near, else the list of what is known.</summary>
    public static string For(string found, IReadOnlyCollection<string> candidates) =>
        Nearest(found, candidates) is { } nearest ? $"did you mean '{nearest}'?" : $"known: {string.Join(", ", candidates)}";

    private static int Distance(string left, string right)
    {
        var previous = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var current = new int[right.Length + 1];
            current[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var substitution = previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                current[j] = Math.Min(substitution, Math.Min(previous[j], current[j - 1]) + 1);
            }

            previous = current;
        }

        return previous[right.Length];
    }
}
