using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace LlmStageAudit.Checkpoints.Adapters;

/// <summary>
/// Python regular expressions of an adapter configuration, matched against module names within a time limit for each name and
/// another for all names together: a model has hundreds of modules, and a pattern that backtracks a little on each is as bad.
/// </summary>
internal static class ModulePattern
{
    private const RegexOptions Options = RegexOptions.CultureInvariant;
    private const int MostKept = 16_384;
    private const int LongestPattern = 4096;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LimitTogether = TimeSpan.FromSeconds(2);

    /// <summary>What most patterns are made of: module names, in which a point stands for any character.</summary>
    private static readonly SearchValues<char> PlainCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.");

    /// <summary>Adapters with a pattern per module match each of them against every module: parsing them once decides the time.</summary>
    private static readonly ConcurrentDictionary<string, Metered> Kept = new(StringComparer.Ordinal);

    /// <summary>Refuses a pattern that cannot be compiled.</summary>
    public static void Check(string where, string pattern)
    {
        if (pattern.Length > LongestPattern)
            throw Fault(where, pattern, $"has {pattern.Length} characters, more than {LongestPattern}");
        try
        {
            _ = new Regex(PythonPattern.Translated(pattern), Options, Limit);
        }
        catch (ArgumentException fault)
        {
            throw Fault(where, pattern, "is no regular expression", fault);
        }
    }

    /// <summary>Python's re.fullmatch.</summary>
    public static bool MatchesWhole(string pattern, string moduleName) =>
        Match(pattern, $@"\A(?:{PythonPattern.Translated(pattern)})\z", moduleName).Success;

    /// <summary>PEFT's rule for rank_pattern and alpha_pattern: the whole name or everything after one of its dots.</summary>
    public static bool MatchesTail(string pattern, string moduleName)
    {
        var isPlain = !pattern.AsSpan().ContainsAnyExcept(PlainCharacters) && !moduleName.Contains('\n');
        return isPlain
            ? IsTail(pattern, moduleName)
            : Match(pattern, $@"\A(?:.*\.)?(?:{PythonPattern.Translated(pattern)})\z", moduleName).Success;
    }

    /// <summary>
    /// The index of the layer a module lies in: the number after the list named by one of the patterns or, without patterns, the last
    /// number that follows any list's name; null where there is none. Source: PEFT's check_target_module_exists.
    /// </summary>
    public static int? LayerIndex(IReadOnlyList<string> listPatterns, string moduleName)
    {
        foreach (var pattern in listPatterns.Count == 0 ? [@"[^.]*"] : listPatterns)
        {
            var match = Match(pattern, $@"\A.*\.(?:{PythonPattern.Translated(pattern)})\.(?<__layer>[0-9]+)\.", moduleName);
            if (!match.Success) continue;
            return int.TryParse(match.Groups["__layer"].ValueSpan, CultureInfo.InvariantCulture, out var index) ? index : null;
        }

        return null;
    }

    private static bool IsTail(string pattern, string moduleName)
    {
        var start = moduleName.Length - pattern.Length;
        if (start < 0 || (start > 0 && moduleName[start - 1] != '.')) return false;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != '.' && pattern[i] != moduleName[start + i]) return false;
        }

        return true;
    }

    private static Match Match(string pattern, string anchored, string moduleName)
    {
        try
        {
            if (Kept.Count >= MostKept) Kept.Clear();
            return Kept.GetOrAdd(anchored, static text => new Metered(new Regex(text, Options, Limit))).Match(moduleName);
        }
        catch (Exception fault) when (fault is ArgumentException or RegexMatchTimeoutException)
        {
            throw Fault("adapter_config.json", pattern, "cannot be matched in reasonable time", fault);
        }
    }

    private static CheckpointException Fault(string where, string pattern, string found, Exception? inner = null) =>
        CheckpointException.At(where, $"pattern {MessageText.Quote(pattern)} {found}", "a regular expression that matches module names",
            "list the module names instead", inner);

    /// <summary>An expression with the time it has taken so far.</summary>
    private sealed class Metered(Regex expression)
    {
        private long _spentTicks;

        public Match Match(string text)
        {
            if (Interlocked.Read(ref _spentTicks) > LimitTogether.Ticks)
                throw new RegexMatchTimeoutException(text, expression.ToString(), LimitTogether);
            var began = Stopwatch.GetTimestamp();
            var match = expression.Match(text);
            var spent = Stopwatch.GetElapsedTime(began);

            // Below a millisecond a pattern may be matched as often as anyone likes.
            if (spent > TimeSpan.FromMilliseconds(1)) Interlocked.Add(ref _spentTicks, spent.Ticks);
            return match;
        }
    }
}
